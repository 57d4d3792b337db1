//! Counts the rows of each class of a table.

use std::borrow::Cow;
use std::path::Path;

use super::opened::Batches;
use super::read::quoted;
use super::row::Cells;
use super::shown::nested;
use super::survey::{self, MOST_CATEGORIES};
use super::value::Value;
use crate::data::preprocess::NameRule;
use crate::data::split::{Strata, Stratum};
use crate::error::{Error, Result};
use crate::names::counted;

/// More fractional class names than this mean that the target is numeric.
const MOST_FRACTIONS: usize = 100;

/// The source of a row's class.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClassSource<'a> {
    /// Nowhere: rows have no classes.
    None,
    /// The name in a column.
    Named(ClassColumn<'a>),
    /// The binary label in a column, which has one of two values.
    Label(usize),
    /// The largest of the probabilities in these columns.
    Probabilities(&'a [usize]),
}

/// A column of class names.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassColumn<'a> {
    /// Its index in the table.
    pub(super) index: usize,
    pub(super) name: &'a str,
    /// The number that marks a row without a class.
    pub(super) ignored: i64,
    /// Whether the classes were learnt before: rows that are only scored need not have two.
    pub(super) is_fitted: bool,
    /// How classes are named.
    pub(super) rule: NameRule,
}

/// The rows of each class.
#[derive(Debug, Clone, Default)]
pub(super) struct Census {
    pub(super) rows: u64,
    /// The rows besides them that were left out, since a target has no value.
    pub(super) left_out: u64,
    /// The class names in order, if the classes have names.
    pub(super) names: Vec<String>,
    /// Whether the class of some row is text.
    pub(super) has_text: bool,
    pub(super) strata: Strata<String>,
}

impl Census {
    /// The census of so many rows that have no classes, besides those that were left out.
    ///
    /// # Errors
    /// No rows.
    pub(super) fn of_rows(path: &Path, rows: u64, left_out: u64) -> Result<Self> {
        let mut strata = Strata::default();
        strata.add_rows(String::new(), rows);
        require_rows(path, rows, left_out)?;
        Ok(Self { rows, left_out, names: Vec::new(), has_text: false, strata })
    }

    /// Counts the rows of these batches.
    ///
    /// # Errors
    /// No rows, rows without a class, and a target that is not a class.
    pub(super) fn take(path: &Path, classes: ClassSource<'_>, mut batches: Batches) -> Result<Self> {
        let (mut strata, mut rows) = (Strata::default(), 0);
        let (mut missing, mut has_text) = (Unclassified::default(), false);
        while let Some(batch) = batches.next()? {
            if let ClassSource::None = classes {
                rows += batch.rows().len() as u64;
                strata.add_rows(String::new(), batch.rows().len() as u64);
                continue;
            }
            for row in batch.rows() {
                rows += 1;
                if !classes.count(&row, &mut strata) {
                    missing.add(row.line());
                }
                has_text = has_text || classes.is_text(&row);
                classes.check_nested(path, &row)?;
                classes.check_count(path, strata.counts().len())?;
            }
        }
        let left_out = batches.left_out();
        require_rows(path, rows, left_out)?;
        let names = match classes {
            ClassSource::Named(column) => {
                let names = strata.classes().filter(|name| !column.ignores(name)).cloned().collect();
                column.check(path, survey::sorted(names), rows, &missing)?
            }
            ClassSource::None | ClassSource::Label(_) | ClassSource::Probabilities(_) => Vec::new(),
        };
        Ok(Self { rows, left_out, names, has_text, strata })
    }
}

fn require_rows(path: &Path, rows: u64, left_out: u64) -> Result<()> {
    if rows == 0 && left_out > 0 {
        let problem = format!(
            "none of its {} has a target; name another column, or predict them with `descent predict`",
            counted(left_out, "row")
        );
        return Err(Error::data(path, problem));
    }
    if rows == 0 {
        return Err(Error::data(path, "the table has a header but no rows"));
    }
    Ok(())
}

/// Rows without a class.
#[derive(Debug, Default)]
struct Unclassified {
    count: u64,
    first: u64,
}

impl Unclassified {
    fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

impl ClassSource<'_> {
    /// Counts a row; false where it has no class.
    fn count(self, row: &impl Cells, strata: &mut Strata<String>) -> bool {
        match self {
            Self::None => {
                strata.add(String::new());
                true
            }
            Self::Named(column) => {
                let value = row.value(column.index);
                if value.text().is_some_and(|text| strata.add_known(text)) {
                    return true;
                }
                column.rule.of(value).map(|name| strata.add(name)).is_some()
            }
            Self::Label(column) => {
                let label = label(row.value(column));
                if strata.add_known(MERGED) || strata.add_known(label.as_ref()) {
                    return true;
                }
                if strata.counts().len() == 2 {
                    strata.merge(MERGED.to_owned());
                }
                let merged = strata.of(MERGED).is_some();
                strata.add(if merged { MERGED.to_owned() } else { label.into_owned() });
                true
            }
            Self::Probabilities(columns) => {
                strata.add(most_probable(row, columns).to_string());
                true
            }
        }
    }

    /// Whether the class of a row is text.
    fn is_text(self, row: &impl Cells) -> bool {
        matches!(self, Self::Named(column) if matches!(row.value(column.index), Value::Text(_)))
    }

    /// Checks that the class is no list.
    fn check_nested(self, path: &Path, row: &impl Cells) -> Result<()> {
        match self {
            Self::Named(column) if row.value(column.index) == Value::Nested => {
                Err(Error::data(path, format!("target {}: {}", quoted(column.name), nested(row.line()))))
            }
            _ => Ok(()),
        }
    }

    /// Checks that there are no more classes than a network has outputs for.
    fn check_count(self, path: &Path, classes: usize) -> Result<()> {
        match self {
            Self::Named(column) if classes > MOST_CATEGORIES + 1 => {
                let problem = format!(
                    "target {}: more than {MOST_CATEGORIES} classes; for a numeric target use the loss `mse`",
                    quoted(column.name)
                );
                Err(Error::data(path, problem))
            }
            _ => Ok(()),
        }
    }

    /// The stratum of a row that was counted.
    pub(super) fn stratum(self, row: &impl Cells, strata: &Strata<String>) -> Stratum {
        let known = match self {
            Self::None => Some(0),
            Self::Named(column) => match row.value(column.index) {
                Value::Text(text) if strata.of(text).is_some() => strata.of(text),
                value => column.rule.of(value).and_then(|name| strata.of(&name)),
            },
            Self::Label(column) => strata.of(MERGED).or_else(|| strata.of(label(row.value(column)).as_ref())),
            Self::Probabilities(columns) => strata.of(&most_probable(row, columns).to_string()),
        };
        // A file that has changed since it was counted.
        known.unwrap_or(usize::MAX)
    }
}

/// The stratum of all rows, where labels have more than two values.
const MERGED: &str = "";

/// A binary label: 0 and 1 however they are written, else its name.
fn label(value: Value<'_>) -> Cow<'_, str> {
    match value.number() {
        Some(0.0) => Cow::Borrowed("0"),
        Some(1.0) => Cow::Borrowed("1"),
        _ => value.text().map_or_else(|| Cow::Owned(value.name().unwrap_or_default()), Cow::Borrowed),
    }
}

/// The class whose column has the largest number.
fn most_probable(row: &impl Cells, columns: &[usize]) -> usize {
    let number = |column: &usize| row.value(*column).number().unwrap_or(f64::NEG_INFINITY);
    crate::data::most_probable(columns.iter().map(number))
}

impl ClassColumn<'_> {
    /// Whether a name is the number that marks rows without a class.
    #[allow(clippy::float_cmp, clippy::cast_precision_loss, reason = "a number that is written in a file")]
    fn ignores(&self, name: &str) -> bool {
        name.parse::<f64>().is_ok_and(|number| number == self.ignored as f64)
    }

    /// Checks that these names are classes, and returns them.
    fn check(
        &self,
        path: &Path,
        names: Vec<String>,
        rows: u64,
        missing: &Unclassified,
    ) -> Result<Vec<String>> {
        if usize::try_from(self.ignored).is_ok_and(|ignored| ignored < names.len()) {
            let problem =
                format!("is {}, which is the number of a class here; take a negative number", self.ignored);
            return Err(Error::key("loss.ignore_index", problem));
        }
        let fail =
            |problem: String| Err(Error::data(path, format!("target {}: {problem}", quoted(self.name))));
        if missing.count > 0 {
            let Unclassified { count, first } = missing;
            return fail(format!(
                "it is missing in {}, the first is line {first}; `data.drop_missing_target = true` leaves them out, \
                 `data.keep_na = true` makes a word such as NA a class",
                counted(*count, "row")
            ));
        }
        if self.is_fitted {
            return Ok(names);
        }
        if let [only] = names.as_slice() {
            return fail(format!("all rows have the class {}; there is nothing to learn", quoted(only)));
        }
        let fractions =
            names.iter().filter(|name| name.parse::<f64>().is_ok_and(|number| number.fract() != 0.0));
        let many = 2 * names.len() as u64 > rows || names.len() > MOST_FRACTIONS;
        if many && 2 * fractions.count() > names.len() {
            let count = names.len();
            return fail(format!(
                "{count} distinct numbers in {} are not classes; use the loss `mse`",
                counted(rows, "row")
            ));
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::{ColumnCells, LineNumbers, RecordBatch};
    use super::*;

    #[test]
    fn rows_of_probabilities_are_counted_by_their_most_probable_class() {
        let columns = [vec![0.9, 0.2, 0.7, 0.5], vec![0.1, 0.8, 0.3, 0.5]].map(ColumnCells::Numbers);
        let batch = RecordBatch::new(4, LineNumbers::From(2), columns.to_vec());
        let classes = ClassSource::Probabilities(&[0, 1]);
        let census = Census::take(Path::new("t.csv"), classes, Batches::of(vec![batch])).unwrap();
        assert_eq!((census.rows, census.strata.counts()), (4, [3, 1].as_slice()));
    }
}
