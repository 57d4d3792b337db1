//! The normalisation of a data set's numbers.

/// `x · scale + shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// The factor.
    pub scale: f64,
    /// The term.
    pub shift: f64,
}

impl Affine {
    /// The identity: scale 1, shift 0.
    pub const IDENTITY: Self = Self { scale: 1.0, shift: 0.0 };
}
