//! Infers the kind of a column from its training rows.

use std::path::Path;

use super::date_survey::looks_like_a_date;
use super::options::{ColumnKind as Kind, Options};
use super::read::quoted;
use super::shown::nested;
use super::survey::{ColumnSurvey, MOST_CATEGORIES};
use super::value::Value;
use crate::error::{Error, Result};

/// A category with more names than this gets an embedding instead of one-hot encoding.
const MOST_ONE_HOT: usize = 32;

/// The kind of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inferred {
    pub(super) kind: Kind,
    /// Why it is ignored, if it is.
    pub(super) why: &'static str,
}

impl Inferred {
    fn of(kind: Kind) -> Self {
        Self { kind, why: "" }
    }

    fn ignored(why: &'static str) -> Self {
        Self { kind: Kind::Ignore, why }
    }
}

/// Infers the kinds of a table's columns.
pub(super) struct KindInference<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a Options,
    /// Whether the rows are a time series, whose dates are not features.
    pub(super) ordered: bool,
}

impl KindInference<'_> {
    /// The kind of a column: given in `[data.columns]`, or inferred.
    pub(super) fn kind(&self, name: &str, column: &ColumnSurvey) -> Result<Inferred> {
        if let Some(kind) = self.options.columns.get(name) {
            return self.given(name, *kind, column);
        }
        self.check_nested(name, column)?;
        let present = column.present;
        #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows")]
        let numbers = present > 0 && column.numbers.count + column.infinities == present as f64;
        if numbers {
            if is_row_number(name) && column.ascending && present > 1 {
                return Ok(Inferred::ignored("a number of the row"));
            }
            self.check_given(name, Kind::Number, column)?;
            return Ok(Inferred::of(Kind::Number));
        }
        if present == 0 {
            return Ok(Inferred::ignored("no value in the training rows"));
        }
        if column.booleans.are_all_of(present) {
            return Ok(Inferred::of(Kind::Boolean));
        }
        let dates = column.dates.of(present);
        if dates.moments.are_all_of(present) {
            // The time orders the rows of a series.
            return Ok(if self.ordered { Inferred::ignored("the time") } else { Inferred::of(Kind::Date) });
        }
        let numbers = column.numbers.count + column.infinities;
        for (kind, count) in [(Kind::Number, numbers), (Kind::Date, dates.moments.count)] {
            #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
            if 2.0 * count >= present as f64 {
                self.check_given(name, kind, column)?;
            }
        }
        self.warn_of_numbers_in_disguise(name, column);
        self.warn_of_dates_in_disguise(name, column);
        Ok(of_names(column))
    }

    /// A kind that `[data.columns]` gives.
    fn given(&self, name: &str, kind: Kind, column: &ColumnSurvey) -> Result<Inferred> {
        self.check_given(name, kind, column)?;
        let kind = match kind {
            Kind::Category if column.names.len() > MOST_ONE_HOT => Kind::Embedding,
            kind => kind,
        };
        Ok(Inferred { kind, why: "as `[data.columns]` says" })
    }

    /// Checks that the values fit the kind.
    fn check_given(&self, name: &str, kind: Kind, column: &ColumnSurvey) -> Result<()> {
        if kind != Kind::Ignore {
            self.check_nested(name, column)?;
        }
        let problem = match kind {
            Kind::Number => not_numbers(column),
            Kind::Boolean => not_of_words(column, column.booleans.count, "yes or no", |name| {
                Value::Text(name).boolean().is_some()
            }),
            Kind::Date => not_dates(column),
            Kind::Category | Kind::Onehot | Kind::Embedding if column.lost => {
                Some(format!("it has more than {MOST_CATEGORIES} distinct values; \"ignore\" it"))
            }
            Kind::Category | Kind::Onehot | Kind::Embedding | Kind::Ignore => None,
        };
        problem.map_or(Ok(()), |problem| {
            Err(Error::data(self.path, format!("column {}: {problem}", quoted(name))))
        })
    }

    /// Checks that no value is a list or an object.
    fn check_nested(&self, name: &str, column: &ColumnSurvey) -> Result<()> {
        column.nested.map_or(Ok(()), |line| {
            Err(Error::data(self.path, format!("column {}: {}", quoted(name), nested(line))))
        })
    }

    /// Warns if most names of a column look like dates, of which the form is not known.
    fn warn_of_dates_in_disguise(&self, name: &str, column: &ColumnSurvey) {
        let mut dates: Vec<&String> = column.names.keys().filter(|name| looks_like_a_date(name)).collect();
        if dates.is_empty() || 2 * dates.len() < column.names.len() {
            return;
        }
        dates.sort_unstable();
        let forms: Vec<&str> =
            column.dates.fitting(column.present).iter().map(|found| found.form.name()).collect();
        let why = if forms.is_empty() {
            String::new()
        } else {
            format!(", because they may be {}", forms.join(" or "))
        };
        tracing::warn!(
            "{}: column {} has dates such as {}, which are read as text{why}; write them as 2023-11-20",
            self.path.display(),
            quoted(name),
            quoted(dates[0])
        );
    }

    /// Warns if most names of a column would be numbers but for `%`, currency signs and separators.
    fn warn_of_numbers_in_disguise(&self, name: &str, column: &ColumnSurvey) {
        let is_number = |name: &str| {
            let plain = name.replace(['%', '$', '€', '£', ' ', '\u{a0}', '\''], "").replace(',', ".");
            plain.len() < name.len() + 1 && plain.parse::<f64>().is_ok()
        };
        let disguised = column.names.keys().filter(|name| is_number(name)).count();
        if disguised > 0 && 2 * disguised >= column.names.len() {
            let example = column.names.keys().filter(|name| is_number(name)).min();
            tracing::warn!(
                "{}: column {} has values such as {}, which are read as text; write numbers as 0.5 and 1000, \
                 or set `data.decimal` and `data.thousands` for CSV",
                self.path.display(),
                quoted(name),
                quoted(example.map_or("", String::as_str))
            );
        }
    }
}

/// What is wrong with a numeric column, if anything.
fn not_numbers(column: &ColumnSurvey) -> Option<String> {
    if let Some(cell) = &column.infinite {
        let problem = "which is not finite; correct or empty the cell";
        return Some(format!("line {} has {}, {problem}", cell.line, cell.text));
    }
    (column.no_numbers.count > 0).then(|| {
        format!(
            "{}; correct them, name a word for missing values in `data.na_values`, or make it a \"category\" in \
             `[data.columns]`",
            column.no_numbers.shown()
        )
    })
}

/// What is wrong with a column of dates, if anything.
fn not_dates(column: &ColumnSurvey) -> Option<String> {
    let dates = column.dates.of(column.present);
    let forms: Vec<&str> =
        column.dates.fitting(column.present).iter().map(|found| found.form.name()).collect();
    if forms.len() > 1 {
        return Some(format!("its dates may be {}; write them as 2023-11-20", forms.join(" or ")));
    }
    let words = "dates such as 2024-03-01 or 2024-03-01T12:30:00Z";
    not_of_words(column, dates.moments.count, words, |name| dates.form.days(name).is_some())
}

/// What is wrong with a column of which only `count` values are `words`, if anything.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn not_of_words(
    column: &ColumnSurvey,
    count: f64,
    words: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<String> {
    let missed = column.present as f64 - count;
    if missed == 0.0 {
        return None;
    }
    let wrong = column.names.keys().filter(|name| !fits(name)).min();
    let example = wrong.map_or(String::new(), |name| format!(", as {}", quoted(name)));
    Some(format!(
        "{missed} of its values are not {words}{example}; correct them, or set another kind in `[data.columns]`"
    ))
}

/// The kind of a column of names.
fn of_names(column: &ColumnSurvey) -> Inferred {
    let (different, present) = (column.names.len() as u64, column.present);
    if column.lost || different > MOST_CATEGORIES as u64 {
        return Inferred::ignored("nearly every row has another value");
    }
    if different == present && present > 1 {
        return Inferred::ignored("every row has another value");
    }
    match different > MOST_ONE_HOT as u64 {
        true if 2 * different > present => Inferred::ignored("nearly every row has another value"),
        true => Inferred::of(Kind::Embedding),
        false => Inferred::of(Kind::Category),
    }
}

/// Whether an increasing column of this name is a row number.
fn is_row_number(name: &str) -> bool {
    let name = name.to_lowercase();
    ["id", "index", "row", "no", "nr", "unnamed: 0"].contains(&name.as_str())
        || name.ends_with("_id")
        || name.ends_with(" id")
}
