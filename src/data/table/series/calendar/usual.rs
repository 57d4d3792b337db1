//! Whether dates follow a rule often enough.

use crate::stats::real;

/// The fraction of the steps that have to follow a rule.
const USUAL: f64 = 0.7;

/// Whether so many of all are usual.
pub(in super::super) fn are_usual(count: usize, all: usize) -> bool {
    all > 0 && real(count) >= USUAL * real(all)
}
