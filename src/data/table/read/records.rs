//! The interface of the readers of all formats.

use std::path::Path;

use crate::data::table::row::Row;
use crate::error::{Error, Result};
use crate::names::first_few;

/// The rows of a table, one after the other.
pub trait Records: Send {
    /// The names of the columns.
    fn columns(&self) -> &[String];

    /// Reads the next row into `row`; false at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool>;
}

impl Records for Box<dyn Records> {
    fn columns(&self) -> &[String] {
        (**self).columns()
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        (**self).next(row)
    }
}

/// An error at a line of a table.
pub(super) fn at_line(path: &Path, line: u64, problem: impl std::fmt::Display) -> Error {
    Error::data(path, format!("line {line}: {problem}"))
}

/// "column `age`", fit for a terminal.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}

/// "it has `a`, `b`"
pub(crate) fn listed(columns: &[String]) -> String {
    format!("it has {}", first_few(columns.iter().map(|name| quoted(name))))
}

/// "did you mean `age`? it has `id`, `age`": what a table has where it has no column of a name.
pub(crate) fn known_columns(name: &str, columns: &[String]) -> String {
    /// The least similarity of a name that is worth a guess.
    const LIKELY: f64 = 0.75;
    let wanted = name.to_lowercase();
    let nearest = columns
        .iter()
        .map(|own| (strsim::jaro_winkler(&own.to_lowercase(), &wanted), own))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > LIKELY);
    let hint = nearest.map_or(String::new(), |(_, own)| format!("did you mean {}? ", quoted(own)));
    hint + &listed(columns)
}

/// The most columns of a table.
pub(super) const MOST_COLUMNS: usize = 200_000;

/// An error if there are too many columns.
pub(super) fn require_few(path: &Path, columns: usize) -> Result<()> {
    if columns <= MOST_COLUMNS {
        return Ok(());
    }
    Err(Error::data(path, format!("{columns} columns; a table has {MOST_COLUMNS} at most")))
}

/// An error if a name appears twice.
pub(super) fn require_distinct(path: &Path, columns: &[String]) -> Result<()> {
    let mut seen = rustc_hash::FxHashMap::default();
    for (place, name) in (1..).zip(columns) {
        if let Some(first) = seen.insert(name.as_str(), place) {
            let problem =
                format!("the header has {} twice, in columns {first} and {place}; rename one", quoted(name));
            return Err(at_line(path, 1, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_column_is_named_where_one_is_near() {
        let columns = ["id", "when", "a", "b", "c", "d", "promo"].map(str::to_owned);
        for (name, nearest) in [("ID", "id"), ("prom", "promo"), ("When", "when")] {
            let known = known_columns(name, &columns);
            assert!(known.starts_with(&format!("did you mean `{nearest}`? it has `id`, ")), "{known}");
        }
        assert!(known_columns("zzz", &columns).starts_with("it has `id`, "));
    }
}
