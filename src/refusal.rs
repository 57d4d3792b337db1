//! Memory that the system refuses. Libraries allocate as if there were always more: where it is refused the standard library
//! aborts, with a backtrace. A hook before that is unstable, so the program's allocator calls [`report`].

use std::cell::Cell;
use std::collections::TryReserveError;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread's allocation may fail: its caller has an error for that.
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Whether a thread has reported already.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// An empty vector with room for exactly `count` values.
///
/// # Errors
/// The system refuses the memory.
pub(crate) fn try_reserve<T>(count: usize) -> Result<Vec<T>, TryReserveError> {
    let mut room = Vec::new();
    MAY_FAIL.set(true);
    let reserved = room.try_reserve_exact(count);
    MAY_FAIL.set(false);
    reserved.map(|()| room)
}

/// Ends the program with a sentence and exit code 1, unless the caller of the allocator has an error of its own for memory
/// that is refused. What was saved stays: files are whole at any moment.
pub fn report(bytes: usize) {
    if MAY_FAIL.get() {
        return;
    }
    if !REPORTED.swap(true, Ordering::SeqCst) {
        // Nothing here allocates.
        let _ = writeln!(
            std::io::stderr(),
            "error: the system refuses {bytes} bytes of memory: free some, raise a limit such as `ulimit -v`, or choose a \
             smaller network, `train.batch_size` or data set; a run that has a checkpoint goes on with --resume"
        );
    }
    signal_hook::low_level::exit(1);
}
