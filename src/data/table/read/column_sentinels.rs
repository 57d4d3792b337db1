//! The further values that are missing in each column of a table, as `data.na_values` has them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::dialect::Dialect;
use super::records::Records;
use super::sentinels::Sentinels;
use crate::data::table::na_values::NaValues;
use crate::data::table::row::Row;
use crate::data::table::value::Value;
use crate::error::Result;

/// The further values that are missing in the columns of a table.
#[derive(Debug)]
pub(super) struct TableSentinels {
    /// Those of all columns.
    all: Option<Arc<Sentinels>>,
    /// Those of columns that have their own.
    own: FxHashMap<String, Arc<Sentinels>>,
    /// The columns whose cells are text, whatever they look like.
    text: FxHashSet<String>,
    /// The columns that have none.
    copied: FxHashSet<String>,
}

impl TableSentinels {
    /// Those of a table of this dialect.
    pub(super) fn new(dialect: &Dialect) -> Self {
        let sentinels = |words: &[String]| {
            (!words.is_empty()).then(|| Arc::new(Sentinels::new(words, dialect.number_form())))
        };
        let (all, own) = match &dialect.na_values {
            NaValues::All(words) => (sentinels(words), FxHashMap::default()),
            NaValues::Columns(columns) => {
                let own = columns.iter().filter_map(|(name, words)| Some((name.clone(), sentinels(words)?)));
                (None, own.collect())
            }
        };
        let set = |names: &[String]| names.iter().cloned().collect();
        Self { all, own, text: set(&dialect.text_columns), copied: set(&dialect.copied_columns) }
    }

    /// Those of a column, if it has any.
    pub(super) fn of(&self, column: &str) -> Option<ColumnSentinels> {
        if self.copied.contains(column) {
            return None;
        }
        let values = self.all.as_ref().or_else(|| self.own.get(column))?;
        Some(ColumnSentinels { values: Arc::clone(values), is_text: self.text.contains(column) })
    }

    /// Those of each of these columns.
    pub(super) fn of_each(&self, columns: &[String]) -> Vec<Option<ColumnSentinels>> {
        columns.iter().map(|name| self.of(name)).collect()
    }
}

/// The further values that are missing in a column.
#[derive(Debug, Clone)]
pub(super) struct ColumnSentinels {
    values: Arc<Sentinels>,
    is_text: bool,
}

impl ColumnSentinels {
    /// Whether a value of the column is one of them.
    pub(super) fn has(&self, value: Value<'_>) -> bool {
        self.values.has(value, self.is_text)
    }
}

/// Rows in whose cells the further words for a missing value are missing.
#[derive(Debug)]
pub struct WithoutSentinels<R> {
    records: R,
    /// Those of each column.
    sentinels: Vec<Option<ColumnSentinels>>,
}

impl<R: Records> WithoutSentinels<R> {
    /// These rows, read with `dialect`.
    pub fn new(records: R, dialect: &Dialect) -> Self {
        let sentinels = TableSentinels::new(dialect).of_each(records.columns());
        Self { records, sentinels }
    }
}

impl<R: Records> Records for WithoutSentinels<R> {
    fn columns(&self) -> &[String] {
        self.records.columns()
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        if !self.records.next(row)? {
            return Ok(false);
        }
        for (column, sentinels) in self.sentinels.iter().enumerate().take(row.len()) {
            if sentinels.as_ref().is_some_and(|own| own.has(row.value(column))) {
                row.set(column, Value::Missing);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_its_own_values_or_those_of_all() {
        let text = "na_values = { n = ['-999'], t = ['-999', '7'] }\ntext_columns = ['t', 'u']";
        let dialect: Dialect = toml::from_str(text).unwrap();
        let sentinels = TableSentinels::new(&dialect);
        let has = |column: &str, text| sentinels.of(column).is_some_and(|own| own.has(Value::Text(text)));
        // pandas.read_csv(…, na_values={"n": [-999], "t": [-999, 7]}, dtype={"t": str, "u": str})
        for (text, expected) in [
            ("-999", [true, true]),
            ("-999.0", [true, true]),
            ("-999.00", [true, false]),
            ("7", [false, true]),
        ] {
            assert_eq!([has("n", text), has("t", text)], expected, "{text}");
            assert!(!has("u", text), "{text}");
        }
        assert_eq!(dialect.missing_cells("n").numbers, [-999.0]);
        assert_eq!(dialect.missing_cells("u"), Dialect::default().missing_cells("u"));
        let all = Dialect { na_values: NaValues::All(vec!["7".to_owned()]), ..Dialect::default() };
        assert!(TableSentinels::new(&all).of("any").unwrap().has(Value::Number(7.0)));
    }
}
