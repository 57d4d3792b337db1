//! Observers of a run while it trains: a progress bar, a log, a test.

use std::path::PathBuf;
use std::time::Instant;

use candle_core::{DType, Tensor};

use crate::checkpoint::{Saved, Sums};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::trainer::Trainer;

/// Sees a run while it trains. Every method does nothing by default.
///
/// ```
/// use descent::run::{EpochEnd, Observer};
///
/// /// Keeps the training loss of every epoch.
/// #[derive(Default)]
/// struct Losses(Vec<f64>);
///
/// impl Observer for Losses {
///     fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> descent::Result<()> {
///         self.0.extend(epoch.value("train_loss"));
///         Ok(())
///     }
/// }
/// ```
pub trait Observer {
    /// An epoch begins, or a resumed run enters the rest of one.
    fn epoch_start(&mut self, _epoch: &EpochStart) {}

    /// An update was made.
    fn update_end(&mut self, _update: &UpdateEnd<'_>) {}

    /// The last update of an epoch was made, or the run was interrupted. Evaluation comes next.
    fn updates_end(&mut self) {}

    /// An epoch was evaluated. An error ends the run.
    fn epoch_end(&mut self, _epoch: &mut EpochEnd<'_>) -> Result<()> {
        Ok(())
    }

    /// A checkpoint was written.
    fn checkpoint_saved(&mut self, _saved: &Saved) {}

    /// The run is over: it was trained and tested, or saved because it was asked to stop. An error ends the run.
    fn train_end(&mut self, _finished: &Finished) -> Result<()> {
        Ok(())
    }

    /// The run has failed.
    fn train_failed(&mut self, _error: &Error) {}
}

/// The observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observer for Quiet {}

/// An epoch that begins.
#[derive(Debug, Clone, Copy)]
pub struct EpochStart {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The epochs of the whole run.
    pub epochs: u64,
    /// The rows of the epoch.
    pub rows: usize,
}

/// An update that was made.
#[derive(Debug)]
pub struct UpdateEnd<'a> {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The updates of the run so far.
    pub step: u64,
    /// The mean loss of the update's rows.
    pub loss: f64,
    /// Sums over the epoch so far; its seconds are those before this process.
    pub sums: &'a Sums,
    pub(super) clock: EpochTimer,
}

impl UpdateEnd<'_> {
    /// The seconds of the epoch so far.
    pub fn seconds(&self) -> f64 {
        self.clock.seconds()
    }
}

/// Measures the seconds of an epoch, part of which may have passed in an earlier process.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochTimer {
    before: f64,
    started: Instant,
}

impl EpochTimer {
    pub(super) fn start(before: f64) -> Self {
        Self { before, started: Instant::now() }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}

/// An epoch that was trained and evaluated.
#[derive(Debug)]
pub struct EpochEnd<'a> {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The epochs of the whole run.
    pub epochs: u64,
    /// The updates of the run so far.
    pub step: u64,
    /// The metrics by name: `train_loss`, `val_loss`, `val_accuracy`, …
    pub metrics: &'a [(String, f64)],
    /// Sums over the epoch: rows, seconds, the last learning rate.
    pub sums: Sums,
    /// Values logged beside the metrics: `grad_norm`, `clipped`, and the learning rates of further groups, `lr_1` …
    pub diagnostics: Vec<(String, f64)>,
    /// The metrics that early stopping and the schedule monitor.
    pub watched: Vec<&'a str>,
    pub(super) trainer: &'a mut Trainer,
    pub(super) train: &'a Dataset,
}

impl EpochEnd<'_> {
    /// A metric by its name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// The elements of every trained tensor (`weights/<name>`) and of its gradient over the first training rows
    /// (`gradients/<name>`).
    pub fn tensors(&mut self) -> Result<Vec<(String, Vec<f64>)>> {
        const ROWS: usize = 256;
        let elements = |tensor: &Tensor| -> Result<Vec<f64>> {
            Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?)
        };
        let mut tensors = Vec::new();
        for param in self.trainer.network().params().trainable() {
            tensors.push((format!("weights/{}", param.name()), elements(param.value())?));
        }
        let rows: Vec<u32> = self.train.chunks_of(ROWS).next().unwrap_or_default();
        for (name, gradient) in self.trainer.gradients(self.train, &rows, self.epoch)? {
            tensors.push((format!("gradients/{name}"), elements(&gradient)?));
        }
        Ok(tensors)
    }
}

/// The end of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All epochs were trained, or a limit or early stopping ended the run; it was tested.
    Completed,
    /// It was asked to stop, and saved.
    Interrupted,
}

/// The results of a run.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The run folder.
    pub folder: PathBuf,
    /// The reason why the run ended.
    pub end: End,
    /// The last epoch, counted from 1.
    pub epoch: u64,
    /// The updates made.
    pub step: u64,
    /// The epoch whose weights were kept.
    pub best_epoch: u64,
    /// The metrics of that epoch by name, those of the validation rows with the temperature and the threshold that were fitted
    /// to them; empty where an earlier process trained it and nothing was fitted.
    pub best_metrics: Vec<(String, f64)>,
    /// The temperature and the threshold where they were fitted, with the metrics of the validation rows since, then the metrics
    /// on the test split; empty after an interrupt.
    pub test: Vec<(String, f64)>,
    /// The baselines, which need no network, on the test rows, or without any on the validation rows: `naive`,
    /// `seasonal_naive`, `drift` and `skill` of a series, `baseline_…` of a table; empty after an interrupt.
    pub baselines: Vec<(String, f64)>,
    /// The seconds of the whole run, by all its processes.
    pub seconds: f64,
    /// The batches that were skipped, because no row of them counts.
    pub skipped: u64,
}

impl Finished {
    /// A metric on the test split by its name, `test_loss`.
    pub fn test_value(&self, name: &str) -> Option<f64> {
        self.test.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// The metrics on the test split, then those of the best epoch.
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let is_new = |(name, _): &&(String, f64)| !self.test.iter().any(|(own, _)| own == name);
        self.test.iter().chain(self.best_metrics.iter().filter(is_new)).cloned().collect()
    }
}
