//! Time series: a window of a table's rows predicts its target some rows ahead.

mod baselines;
mod breaks;
mod calendar;
mod checks;
mod clock;
mod continuation;
pub(crate) mod detect;
mod encoded;
mod features;
mod file;
mod fill;
mod fit;
mod forecast;
mod horizon;
mod load;
mod order;
pub(crate) mod profile;
mod rows;
mod season;
mod step;
mod timeline;
mod times;
mod window;
mod windows;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column_names::ColumnNames;
use super::na_values::NaValues;
use super::options::{ColumnKind, Missing, Options, Test};
use crate::data::preprocess::{CalendarPart, TableEncoder};
use crate::data::split::{Limited, Part, SplitPlan};
use crate::data::subtract_last::SubtractLast;
use crate::data::{Loaded, Request, Source, WrittenRow};
use crate::error::{Error, Result};
use crate::names::counted;

use file::held_out;
use horizon::{MOST_ROWS, number_of_rows, some_missing_rows, some_rows};
use timeline::Timeline;
use window::WindowShape;
use written::Written;

pub use forecast::{FutureRows, GapLosses, StepWindow};
pub use horizon::Horizon;
pub use rows::SeriesRows;
pub use window::WindowEnd;

/// A table whose rows are in time order. A window of `window` rows predicts the target in the `horizon` rows that follow.
/// Past targets are features, dates are not. The table is split by time, and no window crosses a split, a gap in time or
/// the end of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct TimeSeries {
    /// The file: CSV, JSONL or Parquet, by its extension.
    pub path: PathBuf,
    /// The column or columns to predict.
    pub target: ColumnNames,
    /// The number of rows that a prediction is made from.
    #[serde(deserialize_with = "number_of_rows")]
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub window: usize,
    /// How many of the rows after the window are predicted, all of them; a list names some alone, as in `[24]`.
    pub horizon: Horizon,
    /// The column of the time; default: the first whose cells are all dates.
    pub time: Option<String>,
    /// The number of rows after which the values repeat, for the seasonal naive forecast beside the results; default: found by
    /// the autocorrelation of the training rows.
    #[serde(deserialize_with = "some_rows", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub season_length: Option<usize>,
    /// The column or columns that tell several series in one file apart. They are no features unless `columns` sets
    /// their kind.
    pub group: ColumnNames,
    /// The most rows that may be missing between two consecutive rows; default: none, and a week's rows where rows are on
    /// some days of the week alone (holidays).
    #[serde(deserialize_with = "some_missing_rows", skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST_ROWS))]
    pub max_gap: Option<usize>,
    /// Features of each row's time, each as sine and cosine: "hour" of the day, "weekday", "month" of the year.
    pub calendar: Vec<CalendarPart>,
    /// Subtract the last values of a window from its numbers, and predict the change of the target since, as `NLinear` does.
    pub subtract_last: bool,
    /// Sort the rows by time; default: rows that are not sorted are an error.
    pub sort: bool,
    /// The test split: the latest fraction of the rows, or another file.
    pub test: Test,
    /// Column kinds that override the inferred ones.
    pub columns: BTreeMap<String, ColumnKind>,
    /// How to fill missing cells; default: they are an error.
    pub missing: Option<Missing>,
    /// Further words or numbers that mean a missing value, besides those of pandas: one or a list for all
    /// columns, or a table of lists by column, like pandas' dict.
    pub na_values: NaValues,
    /// Read text that pandas takes for a missing value, such as `NA`, as text; an empty cell stays missing.
    pub keep_na: bool,
    /// CSV: the delimiter; default: whichever of `,` `;` tab and `|` is most frequent in the header.
    pub delimiter: Option<char>,
    /// CSV: the decimal point of numbers; default: `.`.
    pub decimal: Option<char>,
    /// CSV: the character that groups the digits of numbers by thousands; default: none.
    pub thousands: Option<char>,
    /// Standardise the target for training: `(y - mean) / std`.
    pub standardize_target: bool,
    /// Keep up to this many MiB of encoded rows in memory, more in a temporary file.
    pub memory: u64,
}

impl Default for TimeSeries {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            target: ColumnNames::default(),
            window: 10,
            horizon: Horizon::default(),
            time: None,
            season_length: None,
            group: ColumnNames::default(),
            max_gap: None,
            calendar: Vec::new(),
            subtract_last: false,
            sort: false,
            test: Test::default(),
            columns: BTreeMap::new(),
            missing: None,
            na_values: NaValues::default(),
            keep_na: false,
            delimiter: None,
            decimal: None,
            thousands: None,
            standardize_target: true,
            memory: Options::default().memory,
        }
    }
}

impl Source for TimeSeries {
    fn place(&self) -> PathBuf {
        self.path.clone()
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        self.load_file(request)
    }

    fn written_rows(&self, request: &Request<'_>, part: Part, numbers: &[usize]) -> Result<Vec<WrittenRow>> {
        let written = Written { path: &self.path, test: &self.test, window: self.window, part, numbers };
        written.rows(request, |timeline, shape| self.parts(timeline, shape, request))
    }
}

impl TimeSeries {
    /// The values subtracted from windows and targets, if that is asked for.
    fn subtract(&self, encoder: &TableEncoder, request: &Request<'_>) -> Result<Option<SubtractLast>> {
        if !self.subtract_last {
            return Ok(None);
        }
        if !request.standardize {
            let problem = "is for losses that depend on differences alone: `mse`, `l1`, `smooth_l1`, `huber` or \
                           `gaussian_nll`";
            return Err(Error::key("data.subtract_last", problem));
        }
        if !request.plan.is_affine() {
            let problem = "subtracts numbers, which `normalize = \"robust_smooth\"` and `\"quantile\"`, `target_transform` and \
                           `clamp_output` bend; leave them out";
            return Err(Error::key("data.subtract_last", problem));
        }
        let problem =
            "needs the past of each target as a feature, a number that `[data.columns]` does not leave out";
        SubtractLast::of(encoder).map(Some).ok_or_else(|| Error::key("data.subtract_last", problem))
    }

    fn plan(&self, request: &Request<'_>) -> SplitPlan {
        request.split_plan(if let Test::Share(share) = self.test { share } else { 0.0 })
    }

    /// The part of the row at each place of the timeline; every part has room for a window and its target.
    fn parts(&self, timeline: &Timeline, shape: WindowShape<'_>, request: &Request<'_>) -> Result<Vec<Part>> {
        let plan = self.plan(request);
        let parts = timeline.parts(&plan);
        let count = |wanted: Part| parts.iter().filter(|part| **part == wanted).count();
        let least = shape.rows();
        for (key, part) in held_out(&plan) {
            if count(part) < least {
                let rows = count(part);
                let (of_fold, folds) =
                    if plan.fold.is_some() { (" of this fold", ", make fewer folds") } else { ("", "") };
                let problem = format!(
                    "leaves {}{of_fold}, but a window of {} and its target take {least}; shorten `data.window`{folds}, or hold out a \
                     larger share",
                    counted(rows, "row"),
                    counted(shape.window, "row")
                );
                return Err(Error::key(key, problem));
            }
        }
        let used = count(Part::Train) + count(Part::Validation);
        let unused = count(Part::Unused);
        if unused > 0 && plan.fold.is_none() && request.fitted.is_none() {
            Limited { used: used as u64, of: (used + unused) as u64 }.log();
        }
        if count(Part::Train) < least {
            return Err(shape.too_short(&self.path, count(Part::Train), request.row_use()));
        }
        Ok(parts)
    }
}
