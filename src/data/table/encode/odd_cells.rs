//! Cells of a column that are worth a warning.

/// Some cells of a column, by their number and the first of them.
#[derive(Debug, Clone)]
pub(super) struct OddCells {
    pub(super) count: u64,
    pub(super) first: String,
    /// The line of the first.
    pub(super) line: u64,
}

impl OddCells {
    /// Joins those of rows that follow.
    pub(super) fn join(own: &mut Option<Self>, more: Option<Self>) {
        match (own, more) {
            (Some(own), Some(more)) => own.count += more.count,
            (own, more) => *own = own.take().or(more),
        }
    }

    /// Counts one.
    pub(super) fn see(own: &mut Option<Self>, shown: impl FnOnce() -> String, line: u64) {
        own.get_or_insert_with(|| Self { count: 0, first: shown(), line }).count += 1;
    }
}
