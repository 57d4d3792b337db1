//! Time series: a window of a table's rows predicts its target some rows ahead.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::ColumnFitter;
use super::options::{ColumnKind, Missing, Names, Options, Test};
use super::read::{Format, Input, listed};
use super::row::Row;
use super::survey::Survey;
use super::{Opened, RowEncoder, target};
use crate::data::preprocess::{Preprocessing, PreprocessingSource, TableEncoder, TableFormat};
use crate::data::split::TimeSplit;
use crate::data::{EncodedRows, EncodedSplits, Loaded, Normalize, Request, Rows, Source, Task};
use crate::error::{Error, Result};

/// The largest `window` and `horizon`.
const MOST_ROWS: usize = 1 << 20;

/// A table whose rows are in time order. A window of `window` rows predicts the target `horizon` rows after its last row.
/// Past targets are features, dates are not. The table is split by time, and no window crosses a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeSeries {
    /// The file: CSV, JSONL or Parquet, by its extension.
    pub path: PathBuf,
    /// The column or columns to predict.
    pub target: Names,
    /// The number of rows that a prediction is made from.
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub window: usize,
    /// How many rows after the window the predicted row is.
    #[schemars(range(min = 1, max = MOST_ROWS))]
    pub horizon: usize,
    /// The test split: the latest fraction of the rows, or another file.
    pub test: Test,
    /// Column kinds that override the inferred ones.
    pub columns: BTreeMap<String, ColumnKind>,
    /// How to fill missing cells; default: they are an error.
    pub missing: Option<Missing>,
    /// Further words that mean a missing value, besides those of pandas.
    pub na_values: Vec<String>,
    /// CSV: the delimiter; default: whichever of `,` `;` tab and `|` is most frequent in the header.
    pub delimiter: Option<char>,
    /// Standardise the target for training: `(y - mean) / std`.
    pub standardize_target: bool,
}

impl Default for TimeSeries {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            target: Names::default(),
            window: 10,
            horizon: 1,
            test: Test::default(),
            columns: BTreeMap::new(),
            missing: None,
            na_values: Vec::new(),
            delimiter: None,
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
        let table = Opened::new(Input::File(self.path.clone()), format, options.dialect(), None)?;
        let count = count(&table)?;
        let TimeSplit { train, validation, test } = self.split(count, request)?;
        let encoder = match request.fitted.and_then(Preprocessing::table) {
            Some(encoder) => encoder.clone(),
            None => self.fit(&options, &table, train.end, request)?,
        };
        let rows = Encoded::read(&encoder, &table, request.dtype)?;
        let trained = train.len();
        let part = |part: Range<usize>| rows.windows(part, self);
        let test = match &self.test {
            Test::File(path) if request.plan.fold.is_none() => {
                let columns = table.columns().to_vec();
                let format = Options::format_of(path, format);
                let other =
                    Opened::new(Input::File(path.clone()), format, options.dialect(), Some(&columns))?;
                let rows = Encoded::read(&encoder, &other, request.dtype)?;
                let windows = rows.windows(0..rows.count, self)?;
                Some(windows.ok_or_else(|| self.too_short(path, rows.count, "to test on"))?)
            }
            _ => part(test)?,
        };
        let format = TableFormat { format, delimiter: self.delimiter, na_values: self.na_values.clone() };
        let (window, horizon, outputs) = (self.window, self.horizon, encoder.target.outputs());
        Ok(Loaded::Encoded(Box::new(EncodedSplits {
            train: part(train)?.ok_or_else(|| self.too_short(&self.path, trained, "to train on"))?,
            validation: part(validation)?,
            test,
            outputs,
            source: PreprocessingSource::Series { format, window, horizon, encoder },
        })))
    }
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
            delimiter: self.delimiter,
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
        for (key, value) in [("data.window", self.window), ("data.horizon", self.horizon)] {
            if !(1..=MOST_ROWS).contains(&value) {
                return Err(Error::key(key, format!("is {value}; it is a number of rows, 1 or more")));
            }
        }
        Ok(())
    }

    fn too_short(&self, path: &Path, rows: usize, what: &str) -> Error {
        let problem = format!(
            "{rows} rows {what} are too few for a window of {} rows and a target {} rows ahead",
            self.window, self.horizon
        );
        Error::data(path, problem)
    }

    /// Splits the rows by time; every part has room for a window and its target.
    fn split(&self, rows: usize, request: &Request<'_>) -> Result<TimeSplit> {
        let test = if let Test::Share(share) = self.test { share } else { 0.0 };
        let plan = request.split_plan(test);
        let split = TimeSplit::new(&plan, rows);
        let least = self.window + self.horizon;
        let tested = if plan.fold.is_some() { ("data.fold", true) } else { ("data.test", plan.test > 0.0) };
        let validated = ("data.validation", plan.validation > 0.0);
        for ((key, wanted), part) in [(validated, &split.validation), (tested, &split.test)] {
            if wanted && part.len() < least {
                let problem = format!(
                    "leaves {} rows, but a window and its target take {least}; give it more",
                    part.len()
                );
                return Err(Error::key(key, problem));
            }
        }
        if split.train.len() < least {
            return Err(self.too_short(&self.path, split.train.len(), "to train on"));
        }
        Ok(split)
    }

    /// Fits the encoder on the training rows.
    fn fit(
        &self,
        options: &Options,
        table: &Opened,
        train: usize,
        request: &Request<'_>,
    ) -> Result<TableEncoder> {
        let columns = table.columns();
        if let Some(unknown) = self.columns.keys().find(|name| !columns.contains(name)) {
            let problem = format!("is not a column of {}; {}", self.path.display(), listed(columns));
            return Err(Error::key(format!("data.columns.{unknown}"), problem));
        }
        let targets = target::places(&self.path, &self.target.0, columns)?;
        let category = |name: &String| {
            matches!(self.columns.get(name), Some(ColumnKind::Category | ColumnKind::Embedding))
        };
        let categories: Vec<bool> = columns.iter().map(category).collect();
        let quantiles = request.plan.normalize == Normalize::Robust || self.missing == Some(Missing::Median);
        let mut survey = Survey::new(&categories, quantiles);
        let (mut records, mut row, mut number) = (table.records()?, Row::default(), 0);
        while records.next(&mut row)? {
            survey.see(&row, number < train);
            number += 1;
        }
        let names: Vec<String> = targets.iter().map(|place| columns[*place].clone()).collect();
        let found: Vec<_> = targets.iter().map(|place| survey.columns[*place].clone()).collect();
        let standardize = self.standardize_target && request.standardize;
        let target = target::of_numbers(&self.path, request.task, &names, &found, standardize)?;
        let fitter =
            ColumnFitter { path: &self.path, options, normalize: request.plan.normalize, ordered: true };
        Ok(TableEncoder::new(target, fitter.columns(columns, &survey.columns)?))
    }
}

fn count(table: &Opened) -> Result<usize> {
    let (mut records, mut row, mut count) = (table.records()?, Row::default(), 0);
    while records.next(&mut row)? {
        count += 1;
    }
    Ok(count)
}

/// The encoded rows of a series.
struct Encoded {
    /// (rows, F)
    xs: Tensor,
    /// (rows, K)
    ys: Tensor,
    count: usize,
}

impl Encoded {
    fn read(fitted: &TableEncoder, table: &Opened, dtype: DType) -> Result<Self> {
        let mut records = table.records()?;
        let mut encoder = RowEncoder::new(fitted, table.path(), &*records, true)?;
        let (mut row, mut features, mut targets) = (Row::default(), Vec::new(), Vec::new());
        let (mut xs, mut ys, mut count) = (Vec::new(), Vec::new(), 0);
        while records.next(&mut row)? {
            encoder.features(&row, &mut features)?;
            encoder.targets(&row, &mut targets)?;
            xs.extend_from_slice(&features);
            ys.extend_from_slice(&targets);
            count += 1;
        }
        encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
        let dtype = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
        let tensor = |numbers: Vec<f64>, width| {
            Tensor::from_vec(numbers, (count, width), &Device::Cpu)?.to_dtype(dtype)
        };
        Ok(Self { xs: tensor(xs, fitted.features())?, ys: tensor(ys, fitted.target.width())?, count })
    }

    /// The windows of these rows with their targets, if there are any.
    fn windows(&self, rows: Range<usize>, series: &TimeSeries) -> Result<Option<EncodedRows>> {
        let TimeSeries { window, horizon, .. } = *series;
        let Some(count) =
            (rows.end - rows.start).checked_sub(window + horizon - 1).filter(|count| *count > 0)
        else {
            return Ok(None);
        };
        let xs = self.xs.narrow(0, rows.start, count + window - 1)?;
        let ys = self.ys.narrow(0, rows.start + window + horizon - 1, count)?;
        Ok(Some(EncodedRows::Windows(Rows { xs, ys }, window)))
    }
}
