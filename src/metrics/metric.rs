//! The common part of metrics: a name, a direction, a meaning, and a value or the reason why there is none.

/// The description of a metric.
pub trait Metric: Default {
    /// The name in logs and configs, without the split's prefix.
    const NAME: &'static str;
    /// Its direction.
    const DIRECTION: Direction;
    /// The least and the greatest value that it can have.
    const RANGE: (f64, f64) = (0.0, 1.0);
    /// Whether it has the target's unit, or the square of it.
    const HAS_UNIT: bool = false;
    /// One sentence for `descent list metrics`.
    const MEANING: &'static str;
}

/// The direction in which a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As of a loss.
    LowerIsBetter,
    /// As of an accuracy.
    HigherIsBetter,
}

impl Direction {
    /// The value as a score: the higher, the better.
    pub fn score(self, value: f64) -> f64 {
        match self {
            Self::LowerIsBetter => -value,
            Self::HigherIsBetter => value,
        }
    }

    /// "lower is better" or "higher is better".
    pub fn words(self) -> &'static str {
        match self {
            Self::LowerIsBetter => "lower is better",
            Self::HigherIsBetter => "higher is better",
        }
    }
}

/// A metric's value, or why these rows have none.
pub type MetricValue = Result<f64, Undefined>;

/// Why a metric has no value on some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undefined(pub &'static str);

impl std::fmt::Display for Undefined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// A metric's constants as values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricInfo {
    /// [`Metric::NAME`]
    pub name: &'static str,
    /// [`Metric::DIRECTION`]
    pub direction: Direction,
    /// [`Metric::RANGE`]
    pub range: (f64, f64),
    /// [`Metric::HAS_UNIT`]
    pub has_unit: bool,
    /// [`Metric::MEANING`]
    pub meaning: &'static str,
}

impl MetricInfo {
    pub(super) const fn of<M: Metric>() -> Self {
        let (range, has_unit) = (M::RANGE, M::HAS_UNIT);
        Self { name: M::NAME, direction: M::DIRECTION, range, has_unit, meaning: M::MEANING }
    }
}

/// A ratio of rows; 0 where nothing is divided, scikit-learn's default for `zero_division`.
pub(super) fn ratio_or_zero(part: f64, of: f64) -> f64 {
    if of == 0.0 { 0.0 } else { part / of }
}

/// The arithmetic mean; NaN of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a count of classes or targets")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}
