//! A metric's name and value.

use super::{Undefined, Value};

/// A metric's name and value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The name without the split's prefix.
    pub name: String,
    /// The value, or why there is none.
    pub value: Value,
}

impl Measured {
    pub(super) fn new(name: impl Into<String>, value: Value) -> Self {
        let finite = |value: f64| {
            if value.is_finite() { Ok(value) } else { Err(Undefined("it is not a finite number")) }
        };
        Self { name: name.into(), value: value.and_then(finite) }
    }
}
