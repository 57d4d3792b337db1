//! A metric's name and value.

use super::{MetricValue, Undefined};

/// A metric's name and value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The name without the split's prefix.
    pub name: String,
    /// The value, or why there is none.
    pub value: MetricValue,
}

impl Measured {
    pub(super) fn new(name: impl Into<String>, value: MetricValue) -> Self {
        let finite = |value: f64| {
            if value.is_finite() { Ok(value) } else { Err(Undefined("it is not a finite number")) }
        };
        Self { name: name.into(), value: value.and_then(finite) }
    }
}
