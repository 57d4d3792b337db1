//! Predictions of a trained run for rows in memory or in a file.

mod columns;
mod inputs;
mod keyed_rows;
mod keys;
mod lines;
mod open_table;
mod output;
mod overlap;
mod parquet;
mod predictions;
mod row_scorer;
mod scores;
mod series;
mod table;
mod table_rows;

use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::intervals::Intervals;
use super::options::Interrupt;
use super::residuals::Residuals;
use super::trained::{Trained, TrainedRun};
use crate::data::subtract_last::{SubtractLast, for_each_step};
use crate::data::table::read::Format;
use crate::data::{Preprocessing, Task, Units};
use crate::error::{Error, Result};
use crate::loss::Losses;
use crate::model::Network;
use crate::trainer;

pub(crate) use columns::Columns;
use inputs::PathRows;
use keyed_rows::See;
use output::PredictionWriter;
use overlap::overlapped;
use row_scorer::{ReadScorer, RowScorer};
use scores::{ScoreWriter, SeeScores};

pub use columns::Cell;
pub use predictions::Predictions;
pub use table::Table;

/// How predictions are written.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The format.
    pub format: Format,
    /// Columns of the input that are written before the predictions, as the rows' key.
    pub keep: Vec<String>,
}

/// The best weights of a run, with the preprocessing of its training rows.
///
/// Rows come in as they were for training: the columns of a table by their names, in their own units. Predictions have
/// the targets' names and units.
#[derive(Debug)]
pub struct Predictor {
    preprocessing: Preprocessing,
    network: Network,
    loss: Losses,
    units: Option<Units>,
    /// What is subtracted from the windows of a series.
    subtract: Option<SubtractLast>,
    dtype: DType,
    device: Device,
    /// The intervals that are predicted too.
    intervals: Option<Intervals>,
}

impl Predictor {
    /// Opens the run in `folder` on the CPU.
    ///
    /// # Errors
    /// There is no finished run in the folder, or its weights are damaged or not finite.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(folder, Device::Cpu, false)
    }

    /// Opens the run in `folder` on a device; `allow_nonfinite` accepts NaN and infinite values in its weights.
    pub fn open_on(folder: impl AsRef<Path>, device: Device, allow_nonfinite: bool) -> Result<Self> {
        let run = TrainedRun::open(folder.as_ref(), "predict", &[])?.allow_nonfinite(allow_nonfinite);
        Self::of(run, device)
    }

    /// Of this run, on a device.
    pub(crate) fn of(run: TrainedRun, device: Device) -> Result<Self> {
        let (dtype, loss) = (DType::from(run.config.train.dtype), run.config.loss.clone());
        let Trained { preprocessing, network } = run.network(&device)?;
        let (units, subtract) = (preprocessing.units(), preprocessing.subtract_last());
        Ok(Self { preprocessing, network, loss, units, subtract, dtype, device, intervals: None })
    }

    /// The same, which also predicts intervals in which about this fraction of new rows lies, by split conformal prediction with
    /// the errors on the validation rows of the run in `folder`, which chose its best epoch too: the columns `lower` and `upper`.
    /// Their width depends on the prediction.
    ///
    /// # Errors
    /// The run has no such errors: it predicts classes, or validated nothing, or too few rows for the fraction.
    pub fn with_interval(self, folder: impl AsRef<Path>, level: f64) -> Result<Self> {
        if self.loss.task() != Task::Values {
            let problem =
                "--interval: it is for numbers, and the run predicts classes, which have probabilities";
            return Err(Error::Config(problem.to_owned()));
        }
        let folder = folder.as_ref();
        let intervals = Residuals::read(folder)?
            .intervals(level)
            .map_err(|problem| Error::data(folder, format!("an interval of {level} {problem}")))?;
        if intervals.targets() != self.preprocessing.outputs {
            return Err(Error::data(folder, "its residuals.json is of other targets; train the run again"));
        }
        let intervals = intervals.not_below(self.loss.target_minimum());
        Ok(Self { intervals: Some(intervals), ..self })
    }

    /// The columns of the predictions: `prediction` first, then for classes `probability_<class>` each.
    pub fn columns(&self) -> Vec<String> {
        self.output_columns().names()
    }

    /// Predicts the rows of a table in memory. The target column may be missing. Of a series, a row has the forecasts made
    /// from the window that ends with it: of several steps `prediction_1`, `prediction_2`, …
    ///
    /// # Errors
    /// A column that the run was trained on is missing, or a cell is not of its kind.
    pub fn predict(&self, table: &Table) -> Result<Predictions> {
        self.collect(|see| inputs::of_memory(&self.preprocessing, table, see))
    }

    /// Predicts the rows of a file in the format of the training data: a table, a folder of pictures, or an array.
    pub fn predict_file(&self, input: impl AsRef<Path>) -> Result<Predictions> {
        self.collect(|see| inputs::of_path(&self.preprocessing, input.as_ref(), PathRows::default(), see))
    }

    /// Writes the predictions for a file (`-` is standard input) to `out`, some thousand rows at a time. Before them come
    /// the columns to keep; of a picture its `file`, of a series its time. A line of a series has the forecast for its own
    /// time, by the latest window before it; behind the lines of the file come those of the times that follow.
    ///
    /// # Errors
    /// As [`Self::predict`], an error of the disk, and [`Error::Interrupted`] when `interrupt` asks to stop.
    pub fn write(
        &self,
        input: &Path,
        options: &OutputOptions,
        out: &mut (dyn Write + Send),
        interrupt: &Interrupt,
    ) -> Result<()> {
        let columns = Columns::of_one_step(&self.preprocessing, self.loss.task(), &self.more());
        let mut output = PredictionWriter::new(options.format, columns, out);
        let mut writer = ScoreWriter { output: &mut output, interrupt };
        let rows = PathRows { keep: &options.keep, by_time: true };
        let read = |see: &mut See<'_>| inputs::of_path(&self.preprocessing, input, rows, see);
        if input == Path::new("-") {
            // Rows may be waited for, and what comes before them is not held up.
            self.score(read, &mut writer)?;
        } else {
            let mut scorer = self.scorer();
            overlapped(read, |path, rows| scorer.score(path, rows), &mut writer)?;
        }
        output.finish()
    }

    /// The scores of rows as the network reads them, (N, …): probabilities (N, C), or values (N, K) in their own units.
    pub fn scores(&self, rows: &Tensor) -> Result<Tensor> {
        let PreparedRows { inputs, units } = self.inputs(rows)?;
        trainer::predict(&self.network, &self.loss, &inputs, units.as_ref())
    }

    /// The same, and behind values their standard deviations where the loss learns them.
    pub(crate) fn scores_with_deviation(&self, rows: &Tensor) -> Result<Tensor> {
        let PreparedRows { inputs, units } = self.inputs(rows)?;
        let scores = trainer::predict_with_deviation(&self.network, &self.loss, &inputs, units.as_ref())?;
        let Some(intervals) = &self.intervals else { return Ok(scores) };
        let scores = scores.to_dtype(DType::F64)?.to_device(&Device::Cpu)?;
        let values = scores.narrow(1, 0, intervals.targets())?;
        let [lower, upper] = intervals.bounds(&values)?;
        Ok(Tensor::cat(&[&scores, &lower, &upper], 1)?)
    }

    /// Rows in the shape and the type of the network, and the units of its predictions for them.
    fn inputs(&self, rows: &Tensor) -> Result<PreparedRows> {
        let shape = [&[rows.dims()[0]], self.preprocessing.row.as_slice()].concat();
        let inputs = rows.reshape(shape)?.to_dtype(self.dtype)?.to_device(&self.device)?;
        let (Some(subtract), Some(units)) = (&self.subtract, &self.units) else {
            return Ok(PreparedRows { inputs, units: self.units.clone() });
        };
        let last = for_each_step(&subtract.last(rows)?, self.preprocessing.horizon().len())?;
        Ok(PreparedRows { inputs: subtract.apply(&inputs)?, units: Some(units.of_changes_from(last)) })
    }

    /// The preprocessing fitted on the training rows.
    pub(crate) fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The network with the best weights.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The loss that it was trained with.
    pub(crate) fn loss(&self) -> &Losses {
        &self.loss
    }

    pub(crate) fn output_columns(&self) -> Columns {
        Columns::new(&self.preprocessing, self.loss.task(), &self.more())
    }

    /// What is predicted of each value besides itself.
    fn more(&self) -> Vec<&'static str> {
        let deviation = self.loss.output().has_deviation().then_some("std");
        deviation.into_iter().chain(self.intervals.iter().flat_map(|_| ["lower", "upper"])).collect()
    }

    fn scorer(&self) -> RowScorer<'_> {
        let scores = Box::new(|rows: &Tensor| self.scores_with_deviation(rows));
        RowScorer::new(&self.preprocessing, self.dtype, scores)
    }

    fn collect(&self, read: impl FnOnce(&mut See<'_>) -> Result<()>) -> Result<Predictions> {
        let mut predictions = Predictions::new(self.output_columns());
        self.score(read, &mut predictions)?;
        Ok(predictions)
    }

    /// Calls `see` with the scores of all rows that `read` reads.
    fn score(&self, read: impl FnOnce(&mut See<'_>) -> Result<()>, see: &mut dyn SeeScores) -> Result<()> {
        read(&mut ReadScorer { scorer: self.scorer(), see })
    }
}

/// Rows as the network reads them.
struct PreparedRows {
    inputs: Tensor,
    /// The units of the predictions for them.
    units: Option<Units>,
}
