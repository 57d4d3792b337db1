//! The configuration keys that differ between the runs.

use super::numbering::Numbering;
use super::table::{self, HtmlTable};
use crate::report::data::Page;
use crate::report::numbers::NONE;
use crate::report::text::escape;

/// The keys that differ, the runs along the shorter side; empty if none differ.
pub(super) fn section(page: &Page, numbers: &mut Numbering) -> String {
    if page.differences.is_empty() {
        return String::new();
    }
    let name = |index: usize| table::run(index, &page.runs[index].name);
    let cell = |key: usize, run: usize| {
        let value = page.differences[key].1.get(run).filter(|value| !value.is_empty());
        value.map_or_else(|| NONE.to_owned(), |value| format!("<code>{}</code>", escape(value)))
    };
    let key = |key: usize| format!("<code>{}</code>", escape(&page.differences[key].0));
    let (keys, runs) = (0..page.differences.len(), 0..page.runs.len());
    let mut table = HtmlTable {
        caption: "Configuration keys whose values differ between the runs.".to_owned(),
        numbers_from: usize::MAX,
        ..HtmlTable::default()
    };
    if runs.len() > keys.len() {
        table.head = std::iter::once("run".to_owned()).chain(keys.clone().map(key)).collect();
        table.rows = runs
            .map(|run| std::iter::once(name(run)).chain(keys.clone().map(|key| cell(key, run))).collect())
            .collect();
    } else {
        table.head = std::iter::once("key".to_owned()).chain(runs.clone().map(name)).collect();
        table.rows = keys
            .map(|at| std::iter::once(key(at)).chain(runs.clone().map(|run| cell(at, run))).collect())
            .collect();
    }
    format!("<section><h2>Differences</h2>{}</section>", table.html(numbers))
}
