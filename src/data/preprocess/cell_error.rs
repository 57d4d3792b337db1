//! Errors of a cell.

use crate::data::table::dates::DateForm;

/// Why a cell cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellError {
    /// Missing, and nothing is imputed.
    Missing,
    /// Infinite or NaN.
    NotFinite,
    /// Not a number.
    NotNumber,
    /// Not a date.
    NotDate(DateForm),
    /// Neither yes nor no.
    NotBoolean,
    /// A list or an object.
    Nested,
    /// A number that f32 cannot hold after normalisation.
    TooLarge,
    /// A class that training did not have.
    UnknownClass,
    /// A target that is missing: a row to learn from, or to score, has one.
    MissingTarget,
    /// A target that is neither a finite number nor a known label.
    NotTarget,
    /// A target without a logarithm, where it is learnt as `log(1 + y)`.
    NoLogarithm,
}
