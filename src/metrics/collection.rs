//! All metrics of a task, updated together.

use candle_core::{Device, Tensor};

use super::class::rows::numbers;
use super::class::{ClassCounts, ClassMetrics, ClassRows};
use super::labels::Labels;
use super::value::{self, WeightedPairs};
use super::{Measured, MetricValue, Undefined, mean};
use crate::data::{TargetInfo, Task};
use crate::error::Result;

/// With more targets than this, only the mean over targets is logged.
const MOST_NAMED: usize = 32;

/// All metrics of a task.
#[derive(Debug)]
pub struct MetricCollection {
    task: Task,
    info: TargetInfo,
    of: Of,
}

/// The metrics being updated; the first batch determines which.
#[derive(Debug)]
enum Of {
    Nothing,
    Classes(Box<ClassMetrics>),
    Labels(Labels),
    Values(ValueMetrics),
}

impl MetricCollection {
    /// Before the first row. `info` has the positive class and the targets' names.
    pub fn new(task: Task, info: &TargetInfo) -> Self {
        Self { task, info: info.clone(), of: Of::Nothing }
    }

    /// Takes a batch of predictions (N, K), probabilities or values, and their targets.
    pub fn add(&mut self, predictions: &Tensor, targets: &Tensor) -> Result<()> {
        self.add_weighted(predictions, targets, None)
    }

    /// The same of rows that count as often as their weights say, (N) of F64 on the CPU.
    pub fn add_weighted(
        &mut self,
        predictions: &Tensor,
        targets: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<()> {
        // Predictions in the targets' own units, and exact targets, may be on the CPU where the others are not.
        let (predictions, targets) =
            (&predictions.to_device(&Device::Cpu)?, &targets.to_device(&Device::Cpu)?);
        let width = predictions.dims()[1];
        if matches!(self.of, Of::Nothing) {
            self.of = match self.task {
                Task::Values => Of::Values(ValueMetrics::new(width)),
                Task::Labels if width > 1 => Of::Labels(Labels::new(width)),
                Task::Labels => Of::Classes(Box::new(ClassMetrics::new(2, self.info.positive))),
                Task::Classes { .. } => Of::Classes(Box::new(ClassMetrics::new(width, self.info.positive))),
            };
        }
        match &mut self.of {
            Of::Nothing => {}
            Of::Classes(classes) => {
                let rows = ClassRows::new(self.task, self.info.decision(), predictions, targets)?;
                classes.add(&rows.with_weights(weights)?);
            }
            Of::Labels(labels) => labels.add(self.task, predictions, targets, weights)?,
            Of::Values(values) => values.add(predictions, targets, weights)?,
        }
        Ok(())
    }

    /// The metrics of all rows so far.
    pub fn values(&self) -> Vec<Measured> {
        match &self.of {
            Of::Nothing => Vec::new(),
            Of::Classes(classes) => classes.values(),
            Of::Labels(labels) => labels.values(),
            Of::Values(values) => values.values(&self.info),
        }
    }

    /// The class counts, for a classification task.
    pub fn into_counts(self) -> Option<ClassCounts> {
        match self.of {
            Of::Classes(classes) => Some(classes.counts),
            _ => None,
        }
    }
}

/// The metrics of values, target by target.
#[derive(Debug)]
struct ValueMetrics {
    targets: Vec<Vec<Box<dyn value::Running>>>,
}

impl ValueMetrics {
    fn new(width: usize) -> Self {
        let metrics = |_| value::METRICS.iter().map(value::ValueEntry::build).collect();
        Self { targets: (0..width).map(metrics).collect() }
    }

    fn add(&mut self, predictions: &Tensor, targets: &Tensor, weights: Option<&Tensor>) -> Result<()> {
        let rows = predictions.dims()[0];
        let weights = weights.map(Tensor::to_vec1::<f64>).transpose()?;
        // Transposed, so that each metric reads consecutive numbers.
        let columns = |tensor: &Tensor| numbers(&tensor.reshape((rows, ()))?.t()?);
        let (predictions, targets) = (columns(predictions)?, columns(targets)?);
        let pairs = predictions.chunks_exact(rows.max(1)).zip(targets.chunks_exact(rows.max(1)));
        for (metrics, (predictions, targets)) in self.targets.iter_mut().zip(pairs) {
            for metric in metrics {
                metric.update(&WeightedPairs { predictions, targets, weights: weights.as_deref() });
            }
        }
        Ok(())
    }

    /// The mean over targets if they share a unit or the metric is unitless, followed by one value per target. Columns
    /// of a table have different units; the columns of an array share theirs, and so do the steps of a target, whose
    /// values are the means over them.
    fn values(&self, info: &TargetInfo) -> Vec<Measured> {
        let own = self.targets.iter().map(|metrics| metrics.iter().map(|metric| metric.value()).collect());
        let own = over_steps(own.collect(), info.steps.len());
        let of = |metric: usize| own.iter().map(|values| values[metric]).collect::<Result<Vec<_>, _>>();
        let names = value::METRICS.iter().map(|entry| entry.info.name).enumerate();
        let titles = titles(info, own.len());
        let are_mixed = !titles.is_empty() && info.targets == titles;
        let means = names.clone().map(|(metric, name)| {
            let mixes = are_mixed && value::METRICS[metric].info.has_unit;
            let value = if mixes { Err(MIXED) } else { of(metric).map(|own| mean(&own)) };
            Measured::new(name, value)
        });
        let mut measured: Vec<Measured> = means.collect();
        for (target, title) in titles.iter().enumerate() {
            let named = names.clone();
            measured.extend(
                named.map(|(metric, name)| Measured::new(format!("{name}_{title}"), own[target][metric])),
            );
        }
        measured
    }
}

/// The metrics of each target, from those of its steps: outputs are in the order of the steps.
fn over_steps(own: Vec<Vec<MetricValue>>, steps: usize) -> Vec<Vec<MetricValue>> {
    let targets = own.len() / steps.max(1);
    if steps < 2 || targets * steps != own.len() {
        return own;
    }
    let of = |target: usize, metric: usize| {
        let values = own.iter().skip(target).step_by(targets).map(|values| values[metric]);
        values.collect::<Result<Vec<_>, _>>().map(|values| mean(&values))
    };
    (0..targets).map(|target| (0..own[0].len()).map(|metric| of(target, metric)).collect()).collect()
}

/// Why several columns have no mean error.
const MIXED: Undefined =
    Undefined("the targets are columns with units of their own; each has its own, by its name");

/// Suffixes of the per-target metrics; empty for one target or more than `MOST_NAMED`.
pub(super) fn titles(info: &TargetInfo, targets: usize) -> Vec<String> {
    if !(2..=MOST_NAMED).contains(&targets) {
        return Vec::new();
    }
    if info.targets.len() == targets {
        return info.targets.clone();
    }
    (0..targets).map(|target| target.to_string()).collect()
}
