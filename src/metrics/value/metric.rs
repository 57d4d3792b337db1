//! The definition of a metric of values, and its entry in the registry.

use crate::metrics::{Metric, MetricInfo, MetricValue, Undefined};
use crate::stats::real;

/// The computation of a metric of values.
pub trait ValueMetric: Metric + std::fmt::Debug + Send + 'static {
    /// Takes predictions and their targets, both in the target's own unit.
    fn update(&mut self, pairs: &WeightedPairs<'_>);

    /// The metric of all rows so far.
    fn value(&self) -> MetricValue;
}

/// A metric of values in the registry.
#[derive(Debug, Clone, Copy)]
pub struct ValueEntry {
    /// Its constants.
    pub info: MetricInfo,
    build: fn() -> Box<dyn Running>,
}

impl ValueEntry {
    pub(super) const fn of<M: ValueMetric>() -> Self {
        let build = || -> Box<dyn Running> { Box::new(M::default()) };
        Self { info: MetricInfo::of::<M>(), build }
    }

    /// The metric before the first row.
    pub(in crate::metrics) fn build(&self) -> Box<dyn Running> {
        (self.build)()
    }
}

/// [`ValueMetric`] without its constants.
pub(in crate::metrics) trait Running: std::fmt::Debug + Send {
    /// Takes the predictions and targets of one column of a batch.
    fn update(&mut self, pairs: &WeightedPairs<'_>);
    fn value(&self) -> MetricValue;
}

impl<M: ValueMetric> Running for M {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        ValueMetric::update(self, pairs);
    }

    fn value(&self) -> MetricValue {
        ValueMetric::value(self)
    }
}

/// Predictions and targets of some rows.
#[derive(Debug, Clone, Copy)]
pub struct WeightedPairs<'a> {
    /// The predictions.
    pub predictions: &'a [f64],
    /// Their targets.
    pub targets: &'a [f64],
    /// The weight of each row; `None`: they count alike.
    pub weights: Option<&'a [f64]>,
}

impl WeightedPairs<'_> {
    /// The rows, as often as their weights say.
    pub fn count(&self) -> f64 {
        self.weights.map_or_else(|| real(self.targets.len()), |weights| weights.iter().sum())
    }

    /// The targets of rows that count.
    pub(super) fn counted(&self) -> impl Iterator<Item = f64> + '_ {
        let counts = |at: usize| self.weights.is_none_or(|weights| weights[at] > 0.0);
        self.targets.iter().enumerate().filter(move |(at, _)| counts(*at)).map(|(_, target)| *target)
    }

    /// The sum of a term for each prediction and its target.
    pub(super) fn sum(&self, term: impl Fn(f64, f64) -> f64) -> f64 {
        let Self { predictions, targets, weights } = *self;
        match weights {
            None => sum(predictions, targets, term),
            Some(weights) => {
                let pairs = predictions.iter().zip(targets).zip(weights);
                pairs.map(|((x, y), weight)| weight * term(*x, *y)).sum()
            }
        }
    }
}

/// A running mean.
#[derive(Debug, Default)]
pub(super) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    /// Adds a term for each prediction and its target.
    pub(super) fn add(&mut self, pairs: &WeightedPairs<'_>, term: impl Fn(f64, f64) -> f64) {
        self.sum += pairs.sum(term);
        self.count += pairs.count();
    }

    pub(super) fn value(&self) -> MetricValue {
        if self.count == 0.0 { Err(Undefined("there are no rows")) } else { Ok(self.sum / self.count) }
    }
}

/// Partial sums that are added up side by side: one sum alone waits for each of its additions.
const LANES: usize = 8;

/// The sum of a term for each prediction and its target.
fn sum(predictions: &[f64], targets: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (xs, ys) = (predictions.chunks_exact(LANES), targets.chunks_exact(LANES));
    let rest = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| term(*x, *y)).sum::<f64>();
    let mut lanes = [0.0; LANES];
    for (xs, ys) in xs.zip(ys) {
        for (lane, (x, y)) in lanes.iter_mut().zip(xs.iter().zip(ys)) {
            *lane += term(*x, *y);
        }
    }
    lanes.iter().sum::<f64>() + rest
}
