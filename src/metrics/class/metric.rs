//! The definition of a metric of classes, and its entry in the registry.

use super::{ClassCounts, ClassRows};
use crate::metrics::{Metric, MetricInfo, MetricValue};

/// The computation of a metric of classes.
pub trait ClassMetric: Metric + std::fmt::Debug + Send + 'static {
    /// The numbers of classes that have this metric.
    const CLASSES: ClassRange = ClassRange::Any;

    /// The name of this metric for a target of several labels, if it is the mean over the labels.
    const OF_LABELS: Option<&'static str> = None;

    /// Takes the rows of a batch, where [`ClassCounts`] does not already count what the metric needs.
    fn update(&mut self, _rows: &ClassRows) {}

    /// The metric of all rows so far.
    fn value(&self, counts: &ClassCounts) -> MetricValue;
}

/// Numbers of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassRange {
    /// Two or more.
    Any,
    /// Two.
    Two,
    /// Three or more.
    More,
    /// Six or more.
    MoreThanFive,
}

impl ClassRange {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Any, Self::Two, Self::More, Self::MoreThanFive];

    /// Whether this is one of them.
    pub fn includes(self, classes: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Two => classes <= 2,
            Self::More => classes > 2,
            Self::MoreThanFive => classes > 5,
        }
    }

    /// As a user reads it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "any number of classes",
            Self::Two => "two classes",
            Self::More => "three or more classes",
            Self::MoreThanFive => "six or more classes",
        }
    }
}

/// A metric of classes in the registry.
#[derive(Debug, Clone, Copy)]
pub struct ClassEntry {
    /// Its constants.
    pub info: MetricInfo,
    /// The numbers of classes that have it.
    pub classes: ClassRange,
    /// Its name for several labels.
    pub of_labels: Option<&'static str>,
    build: fn() -> Box<dyn Running>,
}

impl ClassEntry {
    pub(super) const fn of<M: ClassMetric>() -> Self {
        let build = || -> Box<dyn Running> { Box::new(M::default()) };
        Self { info: MetricInfo::of::<M>(), classes: M::CLASSES, of_labels: M::OF_LABELS, build }
    }

    /// The metric before the first row.
    pub(in crate::metrics) fn build(&self) -> Box<dyn Running> {
        (self.build)()
    }
}

/// [`ClassMetric`] without its constants.
pub(in crate::metrics) trait Running: std::fmt::Debug + Send {
    fn update(&mut self, rows: &ClassRows);
    fn value(&self, counts: &ClassCounts) -> MetricValue;
}

impl<M: ClassMetric> Running for M {
    fn update(&mut self, rows: &ClassRows) {
        ClassMetric::update(self, rows);
    }

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        ClassMetric::value(self, counts)
    }
}
