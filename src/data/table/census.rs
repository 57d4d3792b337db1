//! The rows of a table counted, class by class.

use rustc_hash::FxHashMap;

use super::read::quoted;
use super::row::{Row, Value};
use super::survey::{self, MOST_CATEGORIES};
use crate::error::{Error, Result};

/// More classes than this whose names are fractions are numbers.
const MOST_FRACTIONS: usize = 100;

/// The rows of each class.
#[derive(Debug, Clone, Default)]
pub(super) struct Census {
    pub(super) rows: u64,
    /// Where rows have classes, the names in order.
    pub(super) names: Vec<String>,
    /// The rows of each; of all where rows have no classes.
    pub(super) counts: Vec<u64>,
    numbers: FxHashMap<String, usize>,
}

impl Census {
    /// Counts rows as `next` gives them; `column` has their classes. A class that is the number `ignored` is none.
    pub(super) fn take(
        path: &std::path::Path,
        column: Option<(usize, &str, i64)>,
        mut next: impl FnMut(&mut Row) -> Result<bool>,
    ) -> Result<Self> {
        let mut found: FxHashMap<String, u64> = FxHashMap::default();
        let (mut row, mut rows, mut missing) = (Row::default(), 0, (0u64, 0));
        while next(&mut row)? {
            rows += 1;
            let Some((place, name, _)) = column else { continue };
            let value = row.value(place);
            if let Value::Text(text) = value
                && let Some(count) = found.get_mut(text)
            {
                *count += 1;
            } else if let Some(name) = value.name() {
                *found.entry(name).or_default() += 1;
            } else {
                missing = (missing.0 + 1, if missing.0 == 0 { row.line } else { missing.1 });
            }
            if found.len() > MOST_CATEGORIES {
                let problem = format!(
                    "target {}: more than {MOST_CATEGORIES} classes; for numbers take the loss `mse`",
                    quoted(name)
                );
                return Err(Error::data(path, problem));
            }
        }
        if rows == 0 {
            return Err(Error::data(path, "there is a header and no row; a table needs some"));
        }
        match column {
            None => Ok(Self { rows, counts: vec![rows], ..Self::default() }),
            Some((_, name, ignored)) => {
                found.remove(&ignored.to_string());
                if usize::try_from(ignored).is_ok_and(|ignored| ignored < found.len()) {
                    let problem =
                        format!("is {ignored}, which is the number of a class here; take a negative number");
                    return Err(Error::key("loss.ignore_index", problem));
                }
                Self::of_classes(rows, &found, missing)
                    .map_err(|problem| Error::data(path, format!("target {}: {problem}", quoted(name))))
            }
        }
    }

    /// The census of rows of which so many have each class, and so many none.
    fn of_classes(rows: u64, found: &FxHashMap<String, u64>, missing: (u64, u64)) -> Result<Self, String> {
        if missing.0 > 0 {
            let (count, line) = missing;
            return Err(format!("it is missing in {count} rows, the first is line {line}; remove them"));
        }
        let names = survey::sorted(found.keys().cloned().collect());
        if let [only] = names.as_slice() {
            return Err(format!("all rows have the class {}; there is nothing to learn", quoted(only)));
        }
        let fractions =
            names.iter().filter(|name| name.parse::<f64>().is_ok_and(|number| number.fract() != 0.0));
        let many = 2 * names.len() as u64 > rows || names.len() > MOST_FRACTIONS;
        if many && 2 * fractions.count() > names.len() {
            let count = names.len();
            return Err(format!(
                "{count} different numbers in {rows} rows are no classes; take the loss `mse`"
            ));
        }
        let counts = names.iter().map(|name| found[name]).collect();
        let numbers = names.iter().cloned().zip(0..).collect();
        Ok(Self { rows, names, counts, numbers })
    }

    /// The number of a row's class; that behind the last one where it has none.
    pub(super) fn class(&self, value: Option<Value<'_>>) -> usize {
        let Some(value) = value else { return 0 };
        if let Value::Text(text) = value
            && let Some(number) = self.numbers.get(text)
        {
            return *number;
        }
        value.name().and_then(|name| self.numbers.get(&name).copied()).unwrap_or(self.names.len())
    }
}
