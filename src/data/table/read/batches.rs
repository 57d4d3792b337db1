//! The interface of the readers that give a table as batches of columns.

use rustc_hash::FxHashSet;

use crate::data::table::batch::RecordBatch;
use crate::error::Result;

/// The rows of a table, some thousand at a time.
pub(in crate::data::table) trait RecordBatchReader: Send {
    /// The names of the columns that are known so far; all of them at the end.
    fn columns(&self) -> &[String];

    /// The next rows; none at the end. Ranks that read together may have them in another order than the file.
    fn next(&mut self) -> Result<Option<RecordBatch>>;

    /// Whether ranks read the file together.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether this is so on all ranks that read together.
    fn is_on_all_ranks(&self, is_here: bool) -> Result<bool> {
        Ok(is_here)
    }
}

/// The columns that are read in a way of their own.
#[derive(Debug, Clone, Default)]
pub(in crate::data::table) struct WantedColumns {
    /// Those that keep their cells as the file has them; numbers of the others may be numbers alone.
    pub(in crate::data::table) text: Vec<String>,
    /// Those that are not read.
    pub(in crate::data::table) ignored: Vec<String>,
}

/// Whether each of these columns is one of `some`.
pub(super) fn are_in(columns: &[String], some: &[String]) -> Vec<bool> {
    let known: FxHashSet<&String> = some.iter().collect();
    columns.iter().map(|name| known.contains(name)).collect()
}

/// The use of each of these columns.
pub(super) fn uses(columns: &[String], wanted: &WantedColumns) -> Vec<Use> {
    let (text, ignored) = (are_in(columns, &wanted.text), are_in(columns, &wanted.ignored));
    let of = |(text, ignored): (bool, bool)| match (text, ignored) {
        (_, true) => Use::Ignored,
        (true, _) => Use::Text,
        _ => Use::Any,
    };
    text.into_iter().zip(ignored).map(of).collect()
}

/// The way a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// As numbers, if it has nothing else.
    Any,
    /// As the file has it.
    Text,
    /// Not at all.
    Ignored,
}
