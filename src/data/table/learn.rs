//! From what the columns hold to how they are encoded.

use std::path::Path;

use super::options::{Kind, Missing, Options};
use super::read::quoted;
use super::row::Value;
use super::survey::{self, MOST_CATEGORIES, Moments};
use crate::data::preprocess::{Column, MissingName, Names, Normalize, Operation};
use crate::error::{Error, Result};

/// A category with more names than this has learnt vectors in the place of a column for each.
const MOST_ONE_HOT: usize = 32;

/// How tables are to be encoded.
pub(super) struct Learner<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a Options,
    pub(super) normalize: Normalize,
    /// Whether the rows are in time order: then a date is only that.
    pub(super) ordered: bool,
}

impl Learner<'_> {
    /// What is done with all columns, by their names.
    ///
    /// # Errors
    /// Missing cells that nothing is said about, infinite numbers, texts in columns of numbers, and nothing to learn
    /// from.
    pub(super) fn columns(&self, names: &[String], columns: &[survey::Column]) -> Result<Vec<Column>> {
        let kinds: Vec<(Kind, String)> =
            names.iter().zip(columns).map(|(name, column)| self.kind(name, column)).collect::<Result<_>>()?;
        let used = || names.iter().zip(columns).zip(&kinds).filter(|(_, (kind, _))| *kind != Kind::Ignore);
        if used().next().is_none() {
            let why: Vec<String> = names
                .iter()
                .zip(&kinds)
                .map(|(name, (_, why))| format!("{} ({why})", quoted(name)))
                .collect();
            let problem = format!(
                "no column can be used as a feature{}; `[data.columns]` gives a column a kind",
                if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) }
            );
            return Err(Error::data(self.path, problem));
        }
        if self.options.missing.is_none() {
            let missing: Vec<String> = used()
                .filter(|((_, column), _)| column.missing_anywhere > 0)
                .map(|((name, column), _)| format!("{} in {}", column.missing_anywhere, quoted(name)))
                .collect();
            if !missing.is_empty() {
                let problem = format!(
                    "cells are missing: {}; set `data.missing` to \"mean\", \"median\", \"zero\" or \"category\", or \
                     the column to \"ignore\" in `[data.columns]`",
                    missing.join(", ")
                );
                return Err(Error::data(self.path, problem));
            }
        }
        let encoded = names.iter().zip(columns).zip(kinds);
        encoded
            .map(|((name, column), (kind, why))| {
                let encoded = self.column(name, kind, why, column);
                let too_large = encoded.operations.iter().any(|operation| match operation {
                    Operation::Scale { offset, scale } => !(offset.is_finite() && scale.is_finite()),
                    _ => false,
                });
                if too_large {
                    let (min, max) = (column.numbers.min, column.numbers.max);
                    let problem =
                        format!("its values from {min:e} to {max:e} are too large to be normalised");
                    return Err(Error::data(
                        self.path,
                        format!("column {}: {problem}; correct them", quoted(name)),
                    ));
                }
                Ok(encoded)
            })
            .collect()
    }

    /// The kind of a column: the one that is given, or what its training rows look like; and why it is ignored.
    fn kind(&self, name: &str, column: &survey::Column) -> Result<(Kind, String)> {
        if let Some(kind) = self.options.columns.get(name) {
            self.check_given(name, *kind, column)?;
            return Ok((*kind, "as `[data.columns]` says".to_owned()));
        }
        let ignored = |why: &str| Ok((Kind::Ignore, why.to_owned()));
        let present = column.present;
        #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows")]
        let all = |moments: &Moments| moments.count == present as f64;
        #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows")]
        let numbers = present > 0 && column.numbers.count + column.infinities == present as f64;
        if numbers {
            if is_row_number(name) && column.ascending && present > 1 {
                return ignored("a number of the row");
            }
            self.check_given(name, Kind::Number, column)?;
            return Ok((Kind::Number, String::new()));
        }
        if present == 0 {
            return ignored("no value in the training rows");
        }
        if all(&column.booleans) {
            return Ok((Kind::Boolean, String::new()));
        }
        if all(&column.dates) {
            if self.ordered && !column.dates_ascend {
                tracing::warn!(
                    "{}: the dates of column {} go back; a series is read in the order of its rows: sort it by time",
                    self.path.display(),
                    quoted(name)
                );
            }
            return if self.ordered { ignored("the time") } else { Ok((Kind::Date, String::new())) };
        }
        let numbers = column.numbers.count + column.infinities;
        for (kind, count) in [(Kind::Number, numbers), (Kind::Date, column.dates.count)] {
            #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
            if 2.0 * count >= present as f64 {
                self.check_given(name, kind, column)?;
            }
        }
        self.warn_of_numbers_in_disguise(name, column);
        Ok(of_names(column))
    }

    /// Refuses a kind that the values do not have.
    fn check_given(&self, name: &str, kind: Kind, column: &survey::Column) -> Result<()> {
        let data =
            |problem: String| Err(Error::data(self.path, format!("column {}: {problem}", quoted(name))));
        match kind {
            Kind::Number => {
                if let Some(place) = &column.infinite {
                    return data(format!(
                        "line {} has {}, which is not finite; correct or empty the cell",
                        place.line, place.text
                    ));
                }
                let (places, count) = &column.no_numbers;
                if places.is_empty() {
                    return Ok(());
                }
                let shown: Vec<String> =
                    places.iter().map(|place| format!("{} in line {}", place.text, place.line)).collect();
                let more = if *count > places.len() as u64 { ", …" } else { "" };
                data(format!(
                    "{count} of its values are no numbers: {}{more}; correct them, name a word for missing values in \
                     `data.na_values`, or make it a \"category\" in `[data.columns]`",
                    shown.join(", ")
                ))
            }
            Kind::Boolean | Kind::Date => {
                let moments = if kind == Kind::Date { &column.dates } else { &column.booleans };
                #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
                let missed = column.present as f64 - moments.count;
                if missed == 0.0 {
                    return Ok(());
                }
                let fits = |name: &str| match kind {
                    Kind::Date => Value::Text(name).date().is_some(),
                    _ => Value::Text(name).boolean().is_some(),
                };
                let wrong = column.names.keys().filter(|name| !fits(name)).min();
                let example = wrong.map_or(String::new(), |name| format!(", as {}", quoted(name)));
                data(format!(
                    "{missed} of its values are no {}{example}; correct them, or give it another kind in `[data.columns]`",
                    if kind == Kind::Date {
                        "dates such as 2024-03-01 or 2024-03-01T12:30:00Z"
                    } else {
                        "yes or no"
                    }
                ))
            }
            Kind::Category | Kind::Embedding if column.lost => {
                data(format!("it has more than {MOST_CATEGORIES} different values; \"ignore\" it"))
            }
            _ => Ok(()),
        }
    }

    /// Says that most of a column's names would be numbers without signs that a number does not have.
    fn warn_of_numbers_in_disguise(&self, name: &str, column: &survey::Column) {
        let is_number = |name: &str| {
            let plain = name.replace(['%', '$', '€', '£', ' ', '\u{a0}', '\''], "").replace(',', ".");
            plain.len() < name.len() + 1 && plain.parse::<f64>().is_ok()
        };
        let disguised = column.names.keys().filter(|name| is_number(name)).count();
        if disguised > 0 && 2 * disguised >= column.names.len() {
            let example = column.names.keys().filter(|name| is_number(name)).min();
            tracing::warn!(
                "{}: column {} has values such as {}, which are read as text; for numbers write 0.5 and 1000",
                self.path.display(),
                quoted(name),
                quoted(example.map_or("", String::as_str))
            );
        }
    }

    fn column(&self, name: &str, kind: Kind, why: String, column: &survey::Column) -> Column {
        let operations = match kind {
            Kind::Ignore => return Column::ignored(name, why),
            Kind::Number => {
                let quartiles = || column.quartiles(false);
                self.scaled(Operation::Number, &column.numbers, quartiles, column.missing)
            }
            Kind::Date => {
                let quartiles = || column.quartiles(true);
                self.scaled(Operation::DateToDays, &column.dates, quartiles, column.missing)
            }
            Kind::Boolean => {
                let median = if column.booleans.mean >= 0.5 { 1.0 } else { 0.0 };
                let filled = self.imputed(&column.booleans, || median);
                [Operation::Boolean].into_iter().chain(filled).chain(self.indicator(column.missing)).collect()
            }
            Kind::Category => vec![Operation::OneHot(self.names(column))],
            Kind::Embedding => {
                let names = self.names(column);
                let dimension = dimension(names.len());
                vec![Operation::CategoryIndex { names, dimension }]
            }
        };
        Column { name: name.to_owned(), operations, ignored: None }
    }

    /// A cell as a number, and that normalised.
    fn scaled(
        &self,
        first: Operation,
        moments: &Moments,
        quartiles: impl Fn() -> [f64; 3],
        missing: u64,
    ) -> Vec<Operation> {
        let spread = |range: f64| if range > 0.0 { range } else { 1.0 };
        let (offset, scale) = match self.normalize {
            Normalize::None => (0.0, 1.0),
            Normalize::Fixed { mean, std } => (mean, std),
            Normalize::Standard => (moments.mean, moments.std()),
            Normalize::MinMax => (moments.min, spread(moments.max - moments.min)),
            Normalize::Robust => {
                let [first, median, third] = quartiles();
                (median, spread(third - first))
            }
        };
        let filled = self.imputed(moments, || quartiles()[1]);
        let scaled = filled.into_iter().chain([Operation::Scale { offset, scale }]);
        [first].into_iter().chain(scaled).chain(self.indicator(missing)).collect()
    }

    /// What stands in for a missing number.
    fn imputed(&self, moments: &Moments, median: impl Fn() -> f64) -> Option<Operation> {
        Some(Operation::Impute(match self.options.missing? {
            Missing::Mean | Missing::Category => moments.mean,
            Missing::Median => median(),
            Missing::Zero => 0.0,
        }))
    }

    fn indicator(&self, missing: u64) -> Option<Operation> {
        let wanted = self.options.missing == Some(Missing::Category) && missing > 0;
        wanted.then_some(Operation::MissingIndicator)
    }

    fn names(&self, column: &survey::Column) -> Names {
        let missing = match self.options.missing {
            None => MissingName::Error,
            Some(Missing::Category) if column.missing > 0 => MissingName::Own,
            Some(Missing::Zero | Missing::Category) => MissingName::Unknown,
            Some(Missing::Mean | Missing::Median) => {
                column.most_frequent().map_or(MissingName::Unknown, MissingName::As)
            }
        };
        Names::new(column.sorted_names(), missing)
    }
}

/// The kind of a column of names, and why it is ignored.
fn of_names(column: &survey::Column) -> (Kind, String) {
    let ignored = |why: &str| (Kind::Ignore, why.to_owned());
    let (different, present) = (column.names.len() as u64, column.present);
    if column.lost || different > MOST_CATEGORIES as u64 {
        return ignored("nearly every row has another value");
    }
    if different == present && present > 1 {
        return ignored("every row has another value");
    }
    match different > MOST_ONE_HOT as u64 {
        true if 2 * different > present => ignored("nearly every row has another value"),
        true => (Kind::Embedding, String::new()),
        false => (Kind::Category, String::new()),
    }
}

/// Whether a column of this name that counts upwards numbers the rows.
fn is_row_number(name: &str) -> bool {
    let name = name.to_lowercase();
    ["id", "index", "row", "no", "nr", "unnamed: 0"].contains(&name.as_str())
        || name.ends_with("_id")
        || name.ends_with(" id")
}

/// The length of the learnt vectors of so many names, by fastai's rule.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a small number"
)]
fn dimension(names: usize) -> usize {
    ((1.6 * (names as f64).powf(0.56)).round() as usize).clamp(1, 600)
}
