//! What an exported model reads.

use crate::data::Preprocessing;
use crate::data::preprocess::{Column, Operation, PreprocessingSource, TableEncoder};
use crate::data::table::dates::DateForm;
use crate::data::table::read::MissingCells;

/// The name of the one input of arrays, pictures, and the numbers of a series.
pub(super) const TENSOR: &str = "input";

/// The inputs of an exported model.
pub(super) enum Inputs<'a> {
    /// One a column, (N, 1).
    Table(Vec<ColumnInput<'a>>),
    /// Windows: the numbers in one tensor (N, T, columns), and each column of text by itself, (N, T).
    Series {
        /// The steps T.
        window: usize,
        /// The columns in their order.
        columns: Vec<ColumnInput<'a>>,
    },
    /// One tensor (N, …).
    Array {
        /// The shape of a row.
        shape: Vec<usize>,
    },
}

/// A column of a table as an input.
pub(super) struct ColumnInput<'a> {
    /// The column.
    pub(super) column: &'a Column,
    /// The input's name: the column's, unless that is empty or taken.
    pub(super) name: String,
    /// What its cells are.
    pub(super) kind: CellKind,
    /// The words and numbers that stand for a missing one.
    pub(super) missing: MissingCells,
}

impl ColumnInput<'_> {
    /// The numbers or days that stand for a missing cell.
    pub(super) fn sentinels(&self) -> Vec<f64> {
        match self.kind {
            CellKind::Number => self.missing.numbers.clone(),
            CellKind::Date(form) => self.missing.dates(form),
            CellKind::Boolean | CellKind::Category => Vec::new(),
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Numbers; NaN is missing.
    Number,
    /// Days since 1970-01-01 UTC; NaN is missing.
    Date(DateForm),
    /// Words for yes and no; the empty text is missing.
    Boolean,
    /// Names; the empty text is missing.
    Category,
}

impl CellKind {
    /// Whether the cells are texts.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Boolean | Self::Category)
    }

    /// Its name in metadata.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date(_) => "date",
            Self::Boolean => "boolean",
            Self::Category => "category",
        }
    }

    fn of(column: &Column) -> Self {
        match column.operations.first() {
            Some(Operation::DateToDays(form) | Operation::Calendar { form, .. }) => Self::Date(*form),
            Some(Operation::Boolean) => Self::Boolean,
            Some(Operation::OneHot(_) | Operation::CategoryIndex { .. }) => Self::Category,
            _ => Self::Number,
        }
    }
}

impl<'a> Inputs<'a> {
    /// The inputs for this preprocessing; `taken` are names that none of them may have.
    pub(super) fn of(preprocessing: &'a Preprocessing, taken: &[&str]) -> Self {
        let mut names: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let mut columns = |reserved: &[&str]| -> Vec<ColumnInput<'a>> {
            names.extend(reserved.iter().map(|name| (*name).to_owned()));
            let columns = preprocessing.table().into_iter().flat_map(TableEncoder::columns);
            let used = columns.filter(|column| column.ignored.is_none());
            used.map(|column| {
                let name = unique(&column.name, &names);
                names.push(name.clone());
                let missing = preprocessing.missing_cells(&column.name);
                ColumnInput { column, name, kind: CellKind::of(column), missing }
            })
            .collect()
        };
        match &preprocessing.source {
            PreprocessingSource::Table { .. } => Self::Table(columns(&[])),
            PreprocessingSource::Series { window, .. } => {
                Self::Series { window: *window, columns: columns(&[TENSOR]) }
            }
            PreprocessingSource::Images { .. } | PreprocessingSource::Arrays { .. } => {
                Self::Array { shape: preprocessing.row.clone() }
            }
        }
    }

    /// The columns, where there are some.
    pub(super) fn columns(&self) -> &[ColumnInput<'a>] {
        match self {
            Self::Table(columns) | Self::Series { columns, .. } => columns,
            Self::Array { .. } => &[],
        }
    }
}

/// The name, with as many `_` behind it as make it unlike the others.
fn unique(name: &str, others: &[String]) -> String {
    let mut unique = if name.is_empty() { "column".to_owned() } else { name.to_owned() };
    while others.contains(&unique) {
        unique.push('_');
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_names_that_no_output_has() {
        let others = ["label".to_owned(), "label_".to_owned()];
        assert_eq!(unique("label", &others), "label__");
        assert_eq!(unique("", &others), "column");
        assert_eq!(unique("x y", &others), "x y");
    }
}
