//! The size of the encoded rows, which is known before they are encoded.

use std::path::Path;

use crate::data::stored::{Form, StoredWriter};
use crate::error::{Error, Result};
use crate::names::counted;

/// The bytes that a row in memory costs besides its numbers: its index in the order of an epoch.
const A_ROW: u64 = 16;

/// Rows in the layout that they are encoded in.
#[derive(Debug, Clone, Copy)]
pub(super) struct EncodedSize {
    pub(super) form: Form,
    pub(super) rows: u64,
}

impl EncodedSize {
    fn bytes(self) -> u64 {
        self.rows.saturating_mul(self.form.bytes() as u64)
    }

    /// Whether the rows fit `memory` MiB.
    pub(super) fn fits(self, memory: u64) -> bool {
        self.bytes().saturating_add(self.rows.saturating_mul(A_ROW)) <= memory << 20
    }

    /// "250,000 rows of 31,250 features take 31.3 GB"
    fn described(self) -> String {
        let Self { form, rows } = self;
        let features = counted(form.features, "feature");
        let take = if rows == 1 { "takes" } else { "take" };
        format!("{} of {features} {take} {}", counted(rows, "row"), readable(self.bytes()))
    }

    /// Logs the size of the rows of a table, and where they are kept.
    pub(super) fn log(self, table: &Path, in_memory: bool) {
        let place = if in_memory {
            "in memory".to_owned()
        } else {
            format!("in a temporary file in {}", StoredWriter::place().display())
        };
        tracing::info!("{}: {} {place}", table.display(), self.described());
    }

    /// Checks that a file of the rows fits the `free` bytes of the folder that it is written to.
    pub(super) fn check(self, table: &Path, free: Option<u64>) -> Result<()> {
        let Some(free) = free.filter(|free| self.bytes() > *free) else { return Ok(()) };
        let problem = format!(
            "{}, and {} has {} free; set columns of many names to \"embedding\" or \"ignore\" in `[data.columns]`, or \
             TMPDIR to another folder",
            self.described(),
            StoredWriter::place().display(),
            readable(free)
        );
        Err(Error::data(table, problem))
    }
}

/// A number of bytes for people: 31.3 GB.
#[allow(clippy::cast_precision_loss, reason = "rounded to a digit")]
fn readable(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if size < 999.95 {
            return if unit == "bytes" { format!("{bytes} bytes") } else { format!("{size:.1} {unit}") };
        }
        size /= 1000.0;
    }
    format!("{size:.1} PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_the_disk_are_refused_before_they_are_encoded() {
        let form = Form { features: 31_250, targets: 1, wide: false };
        let size = EncodedSize { form, rows: 250_000 };
        assert!(!size.fits(256));
        let path = Path::new("names.csv");
        let error = size.check(path, Some(20_000_000_000)).unwrap_err().to_string();
        assert!(error.contains("names.csv: 250000 rows of 31250 features take 31.3 GB"), "{error}");
        assert!(error.contains("has 20.0 GB free"), "{error}");
        assert!(size.check(path, Some(40_000_000_000)).is_ok() && size.check(path, None).is_ok());
    }

    #[test]
    fn bytes_are_readable() {
        for (bytes, text) in
            [(999, "999 bytes"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (u64::MAX, "18446.7 PB")]
        {
            assert_eq!(readable(bytes), text);
        }
    }
}
