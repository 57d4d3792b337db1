//! Log messages: to standard error, or to a list while the dashboard is drawn there.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::pass_bar::PassBars;

/// Collects or prints log messages. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    is_quiet: bool,
    buffer: Arc<Mutex<MessageBuffer>>,
    /// The progress bars, of which a line that is printed keeps clear.
    bars: PassBars,
}

/// The messages that are kept.
#[derive(Debug, Default)]
struct MessageBuffer {
    keep: bool,
    bytes: Vec<u8>,
    /// Whether a line that was printed already is left out, and those lines.
    once: bool,
    said: HashSet<Vec<u8>>,
}

impl Messages {
    /// Messages of a command, which is to be quiet or not.
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, ..Self::default() }
    }

    /// Whether only errors and results are to be printed.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// The progress bars.
    pub(super) fn bars(&self) -> &PassBars {
        &self.bars
    }

    /// From now on lines are kept, until [`Self::release`].
    pub(crate) fn keep(&self) {
        self.lock(|kept| kept.keep = true);
    }

    /// From now on lines go to standard error again.
    pub(crate) fn release(&self) {
        self.lock(|kept| kept.keep = false);
    }

    /// From now on, or no longer, a line is left out that was printed already in such a time: runs of one command say the same of
    /// the same rows before they train, and of their own results afterwards.
    pub(super) fn say_once(&self, once: bool) {
        self.lock(|kept| kept.once = once);
    }

    /// The lines that were kept since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        let bytes = self.lock(|kept| std::mem::take(&mut kept.bytes));
        String::from_utf8_lossy(&bytes).lines().map(|line| line.trim().to_owned()).collect()
    }

    fn lock<T>(&self, f: impl FnOnce(&mut MessageBuffer) -> T) -> T {
        // A thread that panicked within a line has left no harm.
        f(&mut self.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock(|kept| {
            if kept.once && !kept.said.insert(bytes.to_vec()) {
                return Ok(bytes.len());
            }
            if kept.keep {
                kept.bytes.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.bars.suspend(|| io::stderr().write(bytes))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line on standard error. It may be closed, which is no reason to stop.
pub(super) fn print_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

impl<'a> MakeWriter<'a> for Messages {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The error in one line. Control characters in names from files and arguments are escaped.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let text = match error.downcast_ref::<io::Error>() {
        // The error of a file has its name.
        Some(source) => format!("cannot write to standard output: {source}"),
        None => error.to_string(),
    };
    super::table::printable(&text)
}
