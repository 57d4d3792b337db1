//! How a metric of values is defined, and its entry in the registry.

use crate::metrics::{Info, Metric, Undefined, Value};

/// How a metric of values is computed.
pub trait ValueMetric: Metric + std::fmt::Debug + Send + 'static {
    /// Takes a prediction and its target, both in the target's own unit.
    fn update(&mut self, prediction: f64, target: f64);

    /// The metric of all rows so far.
    fn value(&self) -> Value;
}

/// A metric of values in the registry.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its constants.
    pub info: Info,
    build: fn() -> Box<dyn Running>,
}

impl Entry {
    pub(super) const fn of<M: ValueMetric>() -> Self {
        let build = || -> Box<dyn Running> { Box::new(M::default()) };
        Self { info: Info::of::<M>(), build }
    }

    /// The metric before the first row.
    pub(in crate::metrics) fn build(&self) -> Box<dyn Running> {
        (self.build)()
    }
}

/// [`ValueMetric`] without its constants, a batch at a time.
pub(in crate::metrics) trait Running: std::fmt::Debug + Send {
    /// Takes the predictions and targets of one column of a batch.
    fn update(&mut self, predictions: &[f64], targets: &[f64]);
    fn value(&self) -> Value;
}

impl<M: ValueMetric> Running for M {
    fn update(&mut self, predictions: &[f64], targets: &[f64]) {
        for (prediction, target) in predictions.iter().zip(targets) {
            ValueMetric::update(self, *prediction, *target);
        }
    }

    fn value(&self) -> Value {
        ValueMetric::value(self)
    }
}

/// A running mean.
#[derive(Debug, Default)]
pub(super) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    pub(super) fn value(&self) -> Value {
        if self.count == 0.0 { Err(Undefined("there are no rows")) } else { Ok(self.sum / self.count) }
    }
}
