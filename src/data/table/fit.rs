//! Fits the preprocessing of columns to a survey of them.

use std::path::Path;

use super::infer::{Inferred, KindInference};
use super::moments::Moments;
use super::options::{ColumnKind as Kind, Missing, Options};
use super::read::quoted;
use super::survey;
use crate::data::preprocess::{Categories, Column, MissingName, Normalize, Operation, Quantiles};
use crate::error::{Error, Result};
use crate::names::first_few;
use crate::stats::quantile;

/// A column with a number of this size trains badly where it is not normalised.
const LARGE: f64 = 1000.0;

/// Fits the operations of a table's columns.
pub(super) struct ColumnFitter<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a Options,
    pub(super) normalize: Normalize,
    /// Whether the rows are a time series, whose dates are not features.
    pub(super) ordered: bool,
}

impl ColumnFitter<'_> {
    /// The columns with their operations.
    ///
    /// # Errors
    /// Missing cells without `data.missing`, infinite numbers, text among numbers, and no usable column.
    pub(super) fn columns(&self, names: &[String], columns: &[survey::ColumnSurvey]) -> Result<Vec<Column>> {
        let Self { path, options, ordered, .. } = *self;
        let inference = KindInference { path, options, ordered };
        let all = names.iter().zip(columns);
        let kinds: Vec<Inferred> =
            all.map(|(name, column)| inference.kind(name, column)).collect::<Result<_>>()?;
        let used = || {
            let all = names.iter().zip(columns).zip(&kinds);
            all.filter(|(_, inferred)| inferred.kind != Kind::Ignore).map(|(column, _)| column)
        };
        if used().next().is_none() {
            return Err(self.nothing_to_use(names, &kinds));
        }
        let missing: Vec<String> = used()
            .filter(|(_, column)| column.missing_anywhere > 0)
            .map(|(name, column)| format!("{} in {}", column.missing_anywhere, quoted(name)))
            .collect();
        if self.options.missing.is_none() && !missing.is_empty() {
            let problem = format!(
                "cells are missing: {}; set `data.missing` to {}\"mean\", \"median\", \"zero\" or \"category\", or the \
                 column to \"ignore\" in `[data.columns]`{}",
                first_few(missing),
                if ordered { "\"previous\", \"interpolate\", " } else { "" },
                self.hint_at_words(columns, &kinds)
            );
            return Err(Error::data(self.path, problem));
        }
        self.hint_at_large_numbers(names, columns, &kinds);
        let columns = names.iter().zip(columns).zip(kinds);
        columns.map(|((name, column), inferred)| self.column(name, inferred, column)).collect()
    }

    /// What keeps words that count as missing, where a column of names lacks cells.
    fn hint_at_words(&self, columns: &[survey::ColumnSurvey], kinds: &[Inferred]) -> &'static str {
        let is_of_names = |kind| matches!(kind, Kind::Category | Kind::Onehot | Kind::Embedding);
        let mut all = columns.iter().zip(kinds);
        let is_some = all.any(|(column, found)| column.missing_anywhere > 0 && is_of_names(found.kind));
        if is_some && !self.options.keep_na {
            "; where words such as NA are names, set `data.keep_na = true`"
        } else {
            ""
        }
    }

    /// Warns of columns of large numbers that are not normalised.
    fn hint_at_large_numbers(&self, names: &[String], columns: &[survey::ColumnSurvey], kinds: &[Inferred]) {
        if self.normalize != Normalize::None {
            return;
        }
        let large = |((name, column), inferred): ((&String, &survey::ColumnSurvey), &Inferred)| {
            let moments = match inferred.kind {
                Kind::Number => &column.numbers,
                Kind::Date => &column.dates.of(column.present).moments,
                _ => return None,
            };
            let most = moments.max.abs().max(moments.min.abs());
            (moments.count > 0.0 && most >= LARGE).then(|| format!("{} (up to {most:.0})", quoted(name)))
        };
        let large: Vec<String> = names.iter().zip(columns).zip(kinds).filter_map(large).collect();
        if !large.is_empty() {
            tracing::warn!(
                "{}: `data.normalize` is \"none\", and large numbers train badly: {}; set it to \"standard\"",
                self.path.display(),
                first_few(large)
            );
        }
    }

    fn nothing_to_use(&self, names: &[String], kinds: &[Inferred]) -> Error {
        let reason = |(name, inferred): (&String, &Inferred)| format!("{} ({})", quoted(name), inferred.why);
        let why = names.iter().zip(kinds).map(reason);
        let problem = format!(
            "no column is usable as a feature{}; set the kinds of columns in `[data.columns]`",
            if names.is_empty() { String::new() } else { format!(": {}", first_few(why)) }
        );
        Error::data(self.path, problem)
    }

    fn column(&self, name: &str, inferred: Inferred, column: &survey::ColumnSurvey) -> Result<Column> {
        let operations = match inferred.kind {
            Kind::Ignore => return Ok(Column::ignored(name, inferred.why.to_owned())),
            Kind::Number => {
                let sorted = || column.sorted_sample(false);
                self.scaled(Operation::Number, &column.numbers, sorted, column.missing)
            }
            Kind::Date => {
                let sorted = || column.sorted_sample(true);
                let dates = column.dates.of(column.present);
                let first = Operation::DateToDays(dates.form);
                let mut operations = self.scaled(first, &dates.moments, sorted, column.missing);
                let parts = self.options.calendar.clone();
                operations
                    .extend((!parts.is_empty()).then_some(Operation::Calendar { form: dates.form, parts }));
                operations
            }
            Kind::Boolean => {
                let median = if column.booleans.mean >= 0.5 { 1.0 } else { 0.0 };
                let filled = self.imputed(&column.booleans, || median);
                [Operation::Boolean].into_iter().chain(filled).chain(self.indicator(column.missing)).collect()
            }
            Kind::Category | Kind::Onehot => vec![Operation::OneHot(self.names(column))],
            Kind::Embedding => {
                let names = self.names(column);
                let dimension = dimension(names.len());
                vec![Operation::CategoryIndex { names, dimension }]
            }
        };
        let too_large = operations.iter().any(|operation| match operation {
            Operation::Scale { offset, scale } => !(offset.is_finite() && scale.is_finite()),
            _ => false,
        });
        if too_large {
            let (min, max) = (column.numbers.min, column.numbers.max);
            let problem = format!("its values, {min:e} to {max:e}, are too large to normalise");
            return Err(Error::data(self.path, format!("column {}: {problem}; correct them", quoted(name))));
        }
        Ok(Column { name: name.to_owned(), operations, ignored: None })
    }

    /// The operations of a numeric column: read, impute, normalise.
    fn scaled(
        &self,
        first: Operation,
        moments: &Moments,
        sorted: impl Fn() -> Vec<f64>,
        missing: u64,
    ) -> Vec<Operation> {
        let range = moments.max - moments.min;
        let (offset, scale) = match self.normalize {
            Normalize::None | Normalize::Quantile => (0.0, 1.0),
            Normalize::Fixed { mean, std } => (mean, std),
            Normalize::Standard => (moments.mean, moments.std()),
            Normalize::MinMax => (moments.min, self.normalize.divisor(range, range)),
            Normalize::Robust | Normalize::RobustSmooth => {
                let [first, median, third] = quartiles(&sorted());
                (median, self.normalize.divisor(third - first, range))
            }
        };
        let curve = match self.normalize {
            Normalize::RobustSmooth => Some(Operation::SmoothClip),
            Normalize::Quantile => Some(Operation::QuantileToNormal(Quantiles::fit(&sorted()))),
            _ => None,
        };
        let filled = self.imputed(moments, || quartiles(&sorted())[1]);
        let scaled = filled.into_iter().chain([Operation::Scale { offset, scale }]).chain(curve);
        [first].into_iter().chain(scaled).chain(self.indicator(missing)).collect()
    }

    /// The imputation of missing numbers.
    fn imputed(&self, moments: &Moments, median: impl Fn() -> f64) -> Option<Operation> {
        Some(Operation::Impute(match self.options.missing? {
            // Cells without a value before them in a series keep the mean.
            Missing::Mean | Missing::Category | Missing::Previous | Missing::Interpolate => moments.mean,
            Missing::Median => median(),
            Missing::Zero => 0.0,
        }))
    }

    fn indicator(&self, missing: u64) -> Option<Operation> {
        let wanted = self.options.missing == Some(Missing::Category) && missing > 0;
        wanted.then_some(Operation::MissingIndicator)
    }

    fn names(&self, column: &survey::ColumnSurvey) -> Categories {
        let missing = match self.options.missing {
            None => MissingName::Error,
            Some(Missing::Category) if column.missing > 0 => MissingName::Own,
            Some(Missing::Zero | Missing::Category) => MissingName::Unknown,
            Some(Missing::Mean | Missing::Median | Missing::Previous | Missing::Interpolate) => {
                column.most_frequent().map_or(MissingName::Unknown, MissingName::As)
            }
        };
        Categories::new(column.sorted_names(), missing)
    }
}

/// The quartiles and the median of sorted numbers, interpolated as numpy.percentile does.
fn quartiles(sorted: &[f64]) -> [f64; 3] {
    [0.25, 0.5, 0.75].map(|share| quantile(sorted, share))
}

/// The embedding dimension for this many names, by fastai's rule.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a small number"
)]
fn dimension(names: usize) -> usize {
    ((1.6 * (names as f64).powf(0.56)).round() as usize).clamp(1, 600)
}
