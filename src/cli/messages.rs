//! Where the lines of the log go: standard error, or a list while something else is drawn there.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// The lines of the log. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages(Arc<Mutex<Kept>>);

/// Lines that are kept, where they are.
#[derive(Debug, Default)]
struct Kept {
    keep: bool,
    bytes: Vec<u8>,
}

impl Messages {
    /// From now on lines are kept, until [`Self::release`].
    pub(crate) fn keep(&self) {
        self.lock(|kept| kept.keep = true);
    }

    /// From now on lines go to standard error again.
    pub(crate) fn release(&self) {
        self.lock(|kept| kept.keep = false);
    }

    /// The lines that were kept since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        let bytes = self.lock(|kept| std::mem::take(&mut kept.bytes));
        String::from_utf8_lossy(&bytes).lines().map(|line| line.trim().to_owned()).collect()
    }

    fn lock<T>(&self, f: impl FnOnce(&mut Kept) -> T) -> T {
        // A thread that panicked within a line has left no harm.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock(|kept| {
            if kept.keep {
                kept.bytes.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            io::stderr().write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Messages {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
