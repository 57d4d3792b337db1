//! Loss and metrics of a network.

use candle_core::{DType, Device, Tensor};

use crate::data::{Dataset, Units};
use crate::distributed::{Communicator, Single};
use crate::error::{Error, Result};
use crate::kernels::ranks;
use crate::loss::{Losses, widened};
use crate::metrics::{ClassCounts, Measured, MetricCollection, Undefined};
use crate::model::Network;
use crate::nn::Shape;

/// Rows that are evaluated at a time.
const EVALUATION_ROWS: usize = 1000;

/// Loss and metrics of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The metrics that fit the task, by name.
    pub metrics: Vec<(String, f64)>,
    /// The metrics that have no value on these rows, and why.
    pub left_out: Vec<(String, Undefined)>,
    /// The class counts, for a classification task.
    pub classes: Option<ClassCounts>,
}

/// Loss and metrics of `network` on `data`, in evaluation mode: the loss as it is trained, the metrics in the targets'
/// own units.
///
/// # Errors
/// A loss that is not finite.
pub fn evaluate(network: &Network, loss: &Losses, data: &Dataset) -> Result<Evaluation> {
    evaluate_all(network, loss, &[data])
}

/// As [`evaluate`], on the rows of several data sets of one preprocessing together.
pub fn evaluate_all(network: &Network, loss: &Losses, sets: &[&Dataset]) -> Result<Evaluation> {
    evaluate_unless(
        network,
        loss,
        sets,
        Sharing { ranks: &Single, agree: &|| Ok(()), is_stopping: &|| false },
    )
}

/// A network and rows that it was not trained on.
#[derive(Clone, Copy)]
pub(crate) struct HeldOut<'a> {
    /// The network.
    pub(crate) network: &'a Network,
    /// Its loss.
    pub(crate) loss: &'a Losses,
    /// The rows.
    pub(crate) data: &'a Dataset,
}

/// Loss and metrics of all rows together, each predicted by the network that was not trained on it.
pub(crate) fn evaluate_out_of_fold(all: &[HeldOut<'_>]) -> Result<Evaluation> {
    let Some(first) = all.first() else { return Err(no_row_counts()) };
    let mut sums = EvaluationSums::new(first.loss, first.data);
    for HeldOut { network, loss, data } in all {
        for rows in data.chunks_of(EVALUATION_ROWS) {
            let outputs = widened(&network.forward(&data.inputs(&rows)?)?)?;
            sums.add(loss, &Chunk { data, rows }, &outputs)?;
        }
    }
    sums.finish()
}

/// The losses and metrics of rows so far.
struct EvaluationSums {
    loss: f64,
    /// The divisor of the losses.
    total: f64,
    metrics: MetricCollection,
}

impl EvaluationSums {
    fn new(loss: &Losses, data: &Dataset) -> Self {
        Self { loss: 0.0, total: 0.0, metrics: MetricCollection::new(loss.task(), data.target_info()) }
    }

    /// Adds rows by the network's outputs for them.
    fn add(&mut self, loss: &Losses, Chunk { data, rows }: &Chunk<'_>, outputs: &Tensor) -> Result<()> {
        let targets = data.targets(rows)?;
        let weights = data.row_weights(rows)?;
        self.loss += loss.apply(outputs, &targets, weights.as_ref(), 1.0)?.value.read()?;
        self.total += loss.weighted_total(&targets, weights.as_ref())?;
        let predictions = predictions(loss, outputs, data.units_of(rows)?.as_ref())?;
        self.metrics.add_weighted(&predictions, &data.exact_targets(rows)?, weights.as_ref())
    }

    /// # Errors
    /// None of the rows counts.
    fn finish(self) -> Result<Evaluation> {
        if self.total == 0.0 {
            Err(no_row_counts())
        } else {
            Evaluation::of(self.loss / self.total, self.metrics)
        }
    }
}

/// The ranks that share an evaluation, and how it is interrupted.
#[derive(Clone, Copy)]
pub(super) struct Sharing<'a> {
    /// Each takes a chunk in turn through the network. All chunks' outputs go to all of them, which count them in one
    /// order: so any number of ranks has the bits of one.
    pub(super) ranks: &'a dyn Communicator,
    /// Called before each rank's next chunk.
    pub(super) agree: &'a dyn Fn() -> Result<()>,
    /// Whether they are to stop; the answer of several ranks changes when they agree.
    pub(super) is_stopping: &'a dyn Fn() -> bool,
}

/// As [`evaluate_all`], by several ranks; fails with [`Error::Interrupted`] once it is to stop.
pub(super) fn evaluate_unless(
    network: &Network,
    loss: &Losses,
    sets: &[&Dataset],
    sharing: Sharing<'_>,
) -> Result<Evaluation> {
    let Some(first) = sets.first() else { return Err(no_row_counts()) };
    let mut sums = EvaluationSums::new(loss, first);
    let chunks = sets.iter().flat_map(|data| data.chunks_of(EVALUATION_ROWS).map(move |rows| (data, rows)));
    let mut chunks = chunks.map(|(data, rows)| Chunk { data, rows });
    loop {
        let round: Vec<Chunk<'_>> = chunks.by_ref().take(sharing.ranks.size()).collect();
        if round.is_empty() {
            break;
        }
        (sharing.agree)()?;
        if (sharing.is_stopping)() {
            return Err(Error::Interrupted);
        }
        for (chunk, outputs) in round.iter().zip(outputs(network, &round, sharing)?) {
            sums.add(loss, chunk, &outputs)?;
        }
    }
    sums.finish()
}

/// Rows that go through the network together.
struct Chunk<'a> {
    data: &'a Dataset,
    rows: Vec<u32>,
}

/// The network's outputs for one chunk of each rank: each takes its own through the network, and has all of them.
fn outputs(network: &Network, round: &[Chunk<'_>], sharing: Sharing<'_>) -> Result<Vec<Tensor>> {
    let Sharing { ranks: all, is_stopping, .. } = sharing;
    let (size, rank) = (all.size(), all.rank());
    let mut outputs = Vec::with_capacity(round.len());
    for (owner, Chunk { data, rows }) in round.iter().enumerate() {
        outputs.push(if owner == rank {
            widened(&network.forward_unless(&data.inputs(rows)?, is_stopping)?)?
        } else {
            let shape = network.output_shape(&Shape::new(data.row_shape()))?;
            let (params, shape) = (network.params(), [&[rows.len()], shape.dims()].concat());
            widened(&Tensor::zeros(shape, params.dtype(), params.device())?)?
        });
    }
    if size > 1 {
        for (owner, outputs) in outputs.iter().enumerate() {
            ranks::broadcast(outputs, owner, all)?;
        }
    }
    Ok(outputs)
}

impl Evaluation {
    /// `<prefix>_loss`, then the metrics as `<prefix>_<name>`.
    pub fn named(self, prefix: &str) -> Vec<(String, f64)> {
        let Self { loss, metrics, .. } = self;
        let metrics = metrics.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value));
        std::iter::once((format!("{prefix}_loss"), loss)).chain(metrics).collect()
    }

    /// The result of a loss and the metrics of all rows.
    fn of(loss: f64, metrics: MetricCollection) -> Result<Self> {
        if !loss.is_finite() {
            return Err(Error::Weights(format!(
                "in evaluation the loss is {loss}: either the weights have grown too large (lower `optimizer.lr`, or set \
                 `train.clip_grad_norm`), or a number of the evaluated rows is far outside those of training"
            )));
        }
        let (mut values, mut left_out) = (Vec::new(), Vec::new());
        for Measured { name, value } in metrics.values() {
            match value {
                Ok(value) => values.push((name, value)),
                Err(reason) => left_out.push((name, reason)),
            }
        }
        Ok(Evaluation { loss, metrics: values, left_out, classes: metrics.into_counts() })
    }
}

/// Checks that a run will have the metric that it monitors, such as `val_accuracy`, on these validation rows, for which
/// the network predicts `outputs` numbers each. Quantities other than metrics of the validation rows are not checked.
///
/// # Errors
/// The monitor's key, with the names that the run will have, or why these rows have no such metric.
pub(super) fn check_watched(
    monitor: &str,
    key: &str,
    loss: &Losses,
    outputs: usize,
    data: &Dataset,
) -> Result<()> {
    let Some(name) = monitor.strip_prefix("val_") else { return Ok(()) };
    let problem = match missing_metric(name, loss, outputs, data)? {
        None => return Ok(()),
        Some(MissingMetric::Undefined(reason)) => {
            format!(
                "is `{monitor}`, which cannot be computed on the validation rows: {reason}; hold out more rows, or watch another"
            )
        }
        Some(MissingMetric::Unknown(known)) => {
            let known: Vec<String> = known.iter().map(|name| format!("val_{name}")).collect();
            format!("is `{monitor}`; this run has train_loss, val_loss, {}", known.join(", "))
        }
    };
    Err(Error::key(key, problem))
}

/// Why rows do not have a metric.
#[derive(Debug)]
pub(crate) enum MissingMetric {
    /// It cannot be computed on them.
    Undefined(Undefined),
    /// There is none of this name; these there are, besides the loss.
    Unknown(Vec<String>),
}

/// The reason why rows for which the network predicts `outputs` numbers each will not have this metric; `None` if they
/// will.
pub(crate) fn missing_metric(
    name: &str,
    loss: &Losses,
    outputs: usize,
    data: &Dataset,
) -> Result<Option<MissingMetric>> {
    if name == "loss" {
        return Ok(None);
    }
    let mut metrics = MetricCollection::new(loss.task(), data.target_info());
    for rows in data.chunks() {
        // Whether a metric can be computed depends on the targets alone.
        let predictions = Tensor::zeros((rows.len(), outputs), DType::F64, &Device::Cpu)?;
        metrics.add_weighted(&predictions, &data.exact_targets(&rows)?, data.row_weights(&rows)?.as_ref())?;
    }
    let values = metrics.values();
    let names = || values.iter().map(|metric| metric.name.clone()).collect();
    Ok(match values.iter().find(|metric| metric.name == name) {
        Some(Measured { value: Ok(_), .. }) => None,
        Some(Measured { value: Err(reason), .. }) => Some(MissingMetric::Undefined(*reason)),
        None => Some(MissingMetric::Unknown(names())),
    })
}

/// The predictions of `network` for inputs (N, …), in evaluation mode, on the CPU: probabilities (N, C), or values (N, K),
/// in their own units where these are given.
pub fn predict(network: &Network, loss: &Losses, inputs: &Tensor, units: Option<&Units>) -> Result<Tensor> {
    predictions(loss, &widened(&network.forward(inputs)?)?, units)
}

/// As [`predict`], followed by the values' standard deviations if the loss learns them: (N, 2 K).
pub fn predict_with_deviation(
    network: &Network,
    loss: &Losses,
    inputs: &Tensor,
    units: Option<&Units>,
) -> Result<Tensor> {
    let outputs = widened(&network.forward(inputs)?)?;
    let predictions = predictions(loss, &outputs, units)?;
    let Some(deviation) = loss.output().deviation(&outputs)? else { return Ok(predictions) };
    let deviation = match units {
        Some(units) => units.widen(&deviation)?,
        None => deviation.to_device(&Device::Cpu)?,
    };
    Ok(Tensor::cat(&[&predictions, &deviation], 1)?)
}

/// The predictions that the outputs (N, K) of a network stand for. They are on the CPU, as exact targets are, so that what
/// compares the two does not depend on whether there are units.
fn predictions(loss: &Losses, outputs: &Tensor, units: Option<&Units>) -> Result<Tensor> {
    let predictions = loss.predictions(outputs)?.to_device(&Device::Cpu)?;
    units.map_or(Ok(predictions.clone()), |units| units.restore(&predictions))
}

/// No row of a split counts; torch gives NaN for the mean over nothing.
fn no_row_counts() -> Error {
    Error::key("loss", "leaves no row to count; look at `ignore_index` and `weight`")
}
