//! Checks of options that several schedules share.

use crate::registry::KeyError;

/// Validates the bounds of a momentum that cycles. It starts at the largest, where an optimizer makes its buffer.
pub(super) fn check_momenta(base: f64, max: f64) -> Result<(), KeyError> {
    crate::optim::check_non_negative(&[("base_momentum", base)])?;
    if max.is_finite() && max > 0.0 {
        return Ok(());
    }
    Err(KeyError::new("max_momentum", format!("is {max}; it must be a finite number, more than 0")))
}

/// Requires a count of one or more.
pub(super) fn check_at_least_one(key: &str, value: u64) -> Result<(), KeyError> {
    if value > 0 { Ok(()) } else { Err(KeyError::new(key, "is 0; it must be 1 or more")) }
}
