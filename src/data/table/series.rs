//! Time series: a window of a table's rows predicts its target some rows ahead.

mod clock;
pub(crate) mod detect;
mod file;
mod fill;
mod fit;
mod rows;
pub(crate) mod step;
mod timeline;
mod times;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Opened;
use super::named::{self, Named};
use super::options::{ColumnKind, ColumnNames, Missing, Options, Test};
use super::read::{Format, Input};
use super::words::{words, words_schema};
use crate::data::preprocess::{Fill, Preprocessing, PreprocessingSource, SeriesOrder, TableFormat};
use crate::data::split::{Limited, Part, SplitPlan};
use crate::data::{EncodedRows, EncodedSplits, Loaded, Request, Source, Task, WrittenRow};
use crate::error::{Error, Result};
use crate::names::counted;

use file::{SeriesFile, SplitWindows, held_out};
use rows::WindowShape;
use timeline::Timeline;
use written::Written;

pub use rows::SeriesRows;

/// The largest `window` and `horizon`.
const MOST_ROWS: usize = 1 << 20;

/// A table whose rows are in time order. A window of `window` rows predicts the target `horizon` rows after its last row.
/// Past targets are features, dates are not. The table is split by time, and no window crosses a split, a gap in time or
/// the end of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeSeries {
    /// The file: CSV, JSONL or Parquet, by its extension.
    pub path: PathBuf,
    /// The column or columns to predict.
    pub target: ColumnNames,
    /// The number of rows that a prediction is made from.
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub window: usize,
    /// How many rows after the window the predicted row is.
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub horizon: usize,
    /// The column of the time; default: the first whose cells are all dates.
    pub time: Option<String>,
    /// The column or columns that tell several series in one file apart. They are no features unless `columns` sets
    /// their kind.
    pub group: ColumnNames,
    /// Sort the rows by time; default: rows that are not sorted are an error.
    pub sort: bool,
    /// The test split: the latest fraction of the rows, or another file.
    pub test: Test,
    /// Column kinds that override the inferred ones.
    pub columns: BTreeMap<String, ColumnKind>,
    /// How to fill missing cells; default: they are an error.
    pub missing: Option<Missing>,
    /// Further words or numbers that mean a missing value, besides those of pandas: one, or a list.
    #[serde(deserialize_with = "words")]
    #[schemars(schema_with = "words_schema")]
    pub na_values: Vec<String>,
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
}

impl Default for TimeSeries {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            target: ColumnNames::default(),
            window: 10,
            horizon: 1,
            time: None,
            group: ColumnNames::default(),
            sort: false,
            test: Test::default(),
            columns: BTreeMap::new(),
            missing: None,
            na_values: Vec::new(),
            keep_na: false,
            delimiter: None,
            decimal: None,
            thousands: None,
            standardize_target: true,
        }
    }
}

impl Source for TimeSeries {
    fn place(&self) -> PathBuf {
        self.path.clone()
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        let format = Format::of(&self.path).unwrap_or(Format::Csv);
        let options = self.options();
        options.check(format)?;
        self.check(request)?;
        let dialect = options.dialect(request.task);
        let table = Opened::new(Input::File(self.path.clone()), format, dialect.clone(), None)?;
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let order = match fitted {
            Some(PreprocessingSource::Series { order, .. }) => order.clone(),
            _ => self.order(),
        };
        let candidates = if fitted.is_some() { Vec::new() } else { self.candidates(&table)? };
        let timeline = file::timeline(&table, &order, &candidates)?;
        let order = found(order, &timeline)?;
        let parts = self.parts(&timeline, request)?;
        let encoder = match request.fitted.and_then(Preprocessing::table) {
            Some(encoder) => encoder.clone(),
            None => fit::fit(&options, &table, &trained(&timeline, &parts), &order, request)?,
        };
        let file = SeriesFile { shape: self.shape(), encoder: &encoder, order: &order, dtype: request.dtype };
        let SplitWindows { train, validation, test: own_test } =
            file.splits(&table, timeline, &parts, &self.plan(request))?;
        let test = match &self.test {
            Test::File(path) if request.plan.fold.is_none() => {
                Some(file.whole(&file::other_file(&dialect, &table, path)?)?)
            }
            _ => own_test,
        };
        let format = TableFormat { format, dialect };
        let (window, horizon, outputs) = (self.window, self.horizon, encoder.target.outputs());
        Ok(Loaded::Encoded(Box::new(EncodedSplits {
            train: EncodedRows::Windows(train),
            validation: validation.map(EncodedRows::Windows),
            test: test.map(EncodedRows::Windows),
            outputs,
            source: PreprocessingSource::Series { format, window, horizon, order, encoder },
        })))
    }

    fn written_rows(&self, request: &Request<'_>, part: Part, numbers: &[usize]) -> Result<Vec<WrittenRow>> {
        let written = Written { path: &self.path, test: &self.test, shape: self.shape(), part, numbers };
        written.rows(request, |timeline| self.parts(timeline, request))
    }
}

/// The order of the rows, completed from their timeline.
fn found(order: SeriesOrder, timeline: &Timeline) -> Result<SeriesOrder> {
    let time = timeline.column().map(str::to_owned);
    if order.sort && time.is_none() {
        let problem = "is true, but no column holds a date in every row; name the time in `data.time`";
        return Err(Error::key("data.sort", problem));
    }
    Ok(SeriesOrder { time, step: order.step.or(timeline.step()), form: timeline.form(), ..order })
}

/// Whether each row of the file is trained on.
fn trained(timeline: &Timeline, parts: &[Part]) -> Vec<bool> {
    let mut trained = vec![false; timeline.len()];
    for (place, part) in parts.iter().enumerate() {
        trained[timeline.row(place)] = *part == Part::Train;
    }
    trained
}

impl TimeSeries {
    /// As the options of a table.
    fn options(&self) -> Options {
        Options {
            path: self.path.clone(),
            target: self.target.clone(),
            test: self.test.clone(),
            columns: self.columns.clone(),
            missing: self.missing,
            na_values: self.na_values.clone(),
            keep_na: self.keep_na,
            delimiter: self.delimiter,
            decimal: self.decimal,
            thousands: self.thousands,
            standardize_target: self.standardize_target,
            ..Options::default()
        }
    }

    fn check(&self, request: &Request<'_>) -> Result<()> {
        if request.task != Task::Values {
            return Err(Error::key(
                "loss.name",
                "is for classes, but a series has numeric targets; set it to `mse`",
            ));
        }
        let named = |name: &String| self.target.0.contains(name);
        if let Some(name) = self.group.0.iter().chain(&self.time).find(|name| named(name)) {
            let key = if self.time.as_ref() == Some(name) { "data.time" } else { "data.group" };
            return Err(Error::key(key, format!("is `{}`, which is a target too", name.escape_debug())));
        }
        for (key, value) in [("data.window", self.window), ("data.horizon", self.horizon)] {
            if !(1..=MOST_ROWS).contains(&value) {
                return Err(Error::key(key, format!("is {value}; it is a number of rows, 1 to {MOST_ROWS}")));
            }
        }
        Ok(())
    }

    /// The order of the rows, as far as the options determine it.
    fn order(&self) -> SeriesOrder {
        let fill = match self.missing {
            Some(Missing::Previous) => Some(Fill::Previous),
            Some(Missing::Interpolate) => Some(Fill::Interpolate),
            _ => None,
        };
        SeriesOrder {
            time: self.time.clone(),
            step: None,
            form: None,
            group: self.group.0.clone(),
            sort: self.sort,
            fill,
        }
    }

    /// The columns that may be the time where none is named.
    ///
    /// # Errors
    /// A column that is named for the order is not there.
    fn candidates(&self, table: &Opened) -> Result<Vec<usize>> {
        let columns = table.columns();
        let time = self.time.iter().map(|name| ("data.time", name));
        for (key, name) in time.chain(self.group.0.iter().map(|name| ("data.group", name))) {
            let named = Named { key, name, role: "to order rows by" };
            named::place(table.path(), columns, named, false)?;
        }
        let taken = |name: &String| {
            self.target.0.contains(name)
                || self.group.0.contains(name)
                || self.columns.get(name).is_some_and(|kind| *kind != ColumnKind::Date)
        };
        Ok((0..columns.len()).filter(|column| !taken(&columns[*column])).collect())
    }

    fn plan(&self, request: &Request<'_>) -> SplitPlan {
        request.split_plan(if let Test::Share(share) = self.test { share } else { 0.0 })
    }

    fn shape(&self) -> WindowShape {
        WindowShape { window: self.window, horizon: self.horizon }
    }

    /// The part of the row at each place of the timeline; every part has room for a window and its target.
    fn parts(&self, timeline: &Timeline, request: &Request<'_>) -> Result<Vec<Part>> {
        let plan = self.plan(request);
        let parts = timeline.parts(&plan);
        let count = |wanted: Part| parts.iter().filter(|part| **part == wanted).count();
        let least = self.shape().rows();
        for (key, part) in held_out(&plan) {
            if count(part) < least {
                let rows = count(part);
                let problem = format!(
                    "leaves {}, but a window and its target take {least}; give it more",
                    counted(rows, "row")
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
            return Err(self.shape().too_short(&self.path, count(Part::Train), "to train on"));
        }
        Ok(parts)
    }
}
