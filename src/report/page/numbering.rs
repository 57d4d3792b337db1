//! The numbers of tables and figures, and the ids of charts.

/// The numbers of tables, figures and charts given out so far.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    tables: usize,
    figures: usize,
    charts: usize,
}

impl Numbering {
    /// The number of the next table.
    pub(super) fn table(&mut self) -> usize {
        self.tables += 1;
        self.tables
    }

    /// The number of the next figure.
    pub(super) fn figure(&mut self) -> usize {
        self.figures += 1;
        self.figures
    }

    /// An id that no other chart has.
    pub(super) fn chart(&mut self) -> String {
        self.charts += 1;
        format!("chart{}", self.charts)
    }
}
