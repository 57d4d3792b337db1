//! The metrics of classes, updated together.

use super::{ClassCounts, ClassEntry, ClassRows, METRICS, Running};
use crate::metrics::{Measured, MetricValue};

/// The metrics of classes.
#[derive(Debug)]
pub(in crate::metrics) struct ClassMetrics {
    pub(in crate::metrics) counts: ClassCounts,
    metrics: Vec<(&'static ClassEntry, Box<dyn Running>)>,
}

impl ClassMetrics {
    pub(in crate::metrics) fn new(classes: usize, positive: usize) -> Self {
        let metrics = METRICS.iter().filter(|entry| entry.classes.includes(classes));
        let metrics = metrics.map(|entry| (entry, entry.build())).collect();
        Self { counts: ClassCounts::new(classes, positive), metrics }
    }

    pub(in crate::metrics) fn add(&mut self, rows: &ClassRows) {
        self.counts.add(rows);
        self.metrics.iter_mut().for_each(|(_, metric)| metric.update(rows));
    }

    pub(in crate::metrics) fn values(&self) -> Vec<Measured> {
        self.each().map(|(entry, value)| Measured::new(entry.info.name, value)).collect()
    }

    pub(in crate::metrics) fn each(&self) -> impl Iterator<Item = (&'static ClassEntry, MetricValue)> {
        self.metrics.iter().map(|(entry, metric)| (*entry, metric.value(&self.counts)))
    }
}
