//! The importance of columns.

use super::numbering::Numbering;
use super::table::{HtmlTable, head};
use crate::report::data::ColumnImportance;
use crate::report::numbers::number;
use crate::report::text::escape;

/// More columns than this are folded.
const OPEN: usize = 30;

pub(super) fn html(columns: &[ColumnImportance], numbers: &mut Numbering) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let row = |column: &ColumnImportance| {
        vec![format!("<code>{}</code>", escape(&column.name)), number(column.mean), number(column.std)]
    };
    let table = HtmlTable {
        caption: "Permutation importance: the increase of the loss on held-out rows when a column's values are dealt to other \
                  rows, the mean of five deals and its standard deviation."
            .to_owned(),
        head: head(&["column", "increase of the loss", "std"]),
        rows: columns.iter().map(row).collect(),
        numbers_from: 1,
    };
    let html = table.html(numbers);
    if columns.len() > OPEN {
        format!("<h3>Columns</h3><details><summary>{} columns</summary>{html}</details>", columns.len())
    } else {
        format!("<h3>Columns</h3>{html}")
    }
}
