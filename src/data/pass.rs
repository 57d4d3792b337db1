//! Reports how far a pass over a file or a folder is, as events that a program may show.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The target of the events. Each has the fields `path`, `done` and `total`, in bytes; at the end of a pass `done` is `total`.
pub(crate) const PASS: &str = "descent::pass";

/// The bytes from one event to the next.
const STEP: u64 = 1 << 20;

/// Reads a file, and reports how far it is.
#[derive(Debug)]
pub(crate) struct PassReader<R> {
    inner: R,
    path: PathBuf,
    total: u64,
    done: u64,
    /// The place of the next event.
    due: u64,
}

impl<R> PassReader<R> {
    /// A reader of a file of `total` bytes.
    pub(crate) fn new(inner: R, path: &Path, total: u64) -> Self {
        Self { inner, path: path.to_path_buf(), total, done: 0, due: STEP }
    }
}

impl<R: Read> Read for PassReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done += read as u64;
        if self.done >= self.due {
            self.due = self.done + STEP;
            report(&self.path, self.done, self.total);
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for PassReader<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}

impl<R> Drop for PassReader<R> {
    fn drop(&mut self) {
        if self.due > STEP {
            report(&self.path, self.total, self.total);
        }
    }
}

/// Reports the progress over the rows of a file, or the files of a folder, each of which counts as an equal share of the bytes.
#[derive(Debug)]
pub(crate) struct RowPass {
    path: PathBuf,
    bytes: u64,
    rows: u64,
    done: u64,
    reported: bool,
}

impl RowPass {
    /// A pass over so many bytes and rows.
    pub(crate) fn new(path: &Path, bytes: u64, rows: u64) -> Self {
        Self { path: path.to_path_buf(), bytes, rows, done: 0, reported: false }
    }

    /// A pass over the files of a folder, of which each is a row.
    pub(crate) fn of_files<P: AsRef<Path>>(folder: &Path, files: &[P]) -> Self {
        let size = |file: &P| fs::metadata(file).map_or(0, |found| found.len());
        Self::new(folder, files.iter().map(size).sum(), files.len() as u64)
    }

    /// Reports that so many more rows are done.
    pub(crate) fn add(&mut self, rows: usize) {
        self.done += rows as u64;
        self.at(self.done);
    }

    /// Reports that so many rows are done.
    pub(crate) fn at(&mut self, rows: u64) {
        if self.bytes > STEP && rows < self.rows {
            self.reported = true;
            let done = u128::from(self.bytes) * u128::from(rows) / u128::from(self.rows);
            report(&self.path, u64::try_from(done).unwrap_or(self.bytes), self.bytes);
        }
    }
}

impl Drop for RowPass {
    fn drop(&mut self) {
        if self.reported {
            report(&self.path, self.bytes, self.bytes);
        }
    }
}

/// Reports that so many bytes of a file are done.
fn report(path: &Path, done: u64, total: u64) {
    tracing::trace!(target: PASS, path = %path.display(), done = done.min(total), total);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;

    /// The positions of all events.
    #[derive(Clone, Default)]
    struct Positions(Arc<Mutex<Vec<[u64; 2]>>>);

    impl<S: tracing::Subscriber> Layer<S> for Positions {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let mut position = SeenPosition::default();
            event.record(&mut position);
            assert_eq!(event.metadata().target(), PASS);
            self.0.lock().unwrap().push(position.0);
        }
    }

    #[derive(Default)]
    struct SeenPosition([u64; 2]);

    impl Visit for SeenPosition {
        fn record_u64(&mut self, field: &Field, value: u64) {
            self.0[usize::from(field.name() == "total")] = value;
        }

        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            assert_eq!((field.name(), format!("{value:?}").as_str()), ("path", "a.csv"));
        }
    }

    fn positions(pass: impl FnOnce()) -> Vec<[u64; 2]> {
        let seen = Positions::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(seen.clone()), pass);
        seen.0.lock().unwrap().clone()
    }

    #[test]
    fn a_pass_reports_its_bytes_up_to_the_end() {
        let read = |bytes: u64, used: u64| {
            positions(|| {
                let mut reader = PassReader::new(io::repeat(b'x').take(bytes), Path::new("a.csv"), bytes);
                io::copy(&mut reader.by_ref().take(used), &mut io::sink()).unwrap();
            })
        };
        let seen = read(3 * STEP, 3 * STEP);
        assert!(seen.len() >= 3 && seen.is_sorted(), "{seen:?}");
        assert_eq!(seen.last(), Some(&[3 * STEP, 3 * STEP]));
        // A pass that ends early has an end, too; a small file reports nothing.
        assert_eq!(read(3 * STEP, 2 * STEP).last(), Some(&[3 * STEP, 3 * STEP]));
        assert!(read(STEP / 2, STEP / 2).is_empty());
    }

    #[test]
    fn rows_report_their_share_of_the_bytes() {
        let seen = positions(|| {
            let mut pass = RowPass::new(Path::new("a.csv"), 4 * STEP, 100);
            for rows in [25, 50, 100] {
                pass.at(rows);
            }
        });
        assert_eq!(seen, [STEP, 2 * STEP, 4 * STEP].map(|done| [done, 4 * STEP]));
    }
}
