//! The shape of a row between two layers.

use crate::error::{Error, Result};
use crate::names::counted;

/// The shape of a row without the batch: `[F]`, or `[T, F]` for a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape of these dimensions.
    pub fn new(dims: &[usize]) -> Self {
        Self(dims.to_vec())
    }

    /// The dimensions.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// The last dimension: the features of a row, or of each step of a sequence.
    pub fn width(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }

    /// The same shape with another last dimension.
    #[must_use]
    pub fn with_width(&self, width: usize) -> Self {
        let leading = self.0.len().saturating_sub(1);
        Self([&self.0[..leading], &[width]].concat())
    }

    /// The shape without its steps: `[F]` of `[T, F]`.
    ///
    /// # Errors
    /// A shape that is no sequence.
    pub fn without_steps(&self) -> Result<Self> {
        match self.0.as_slice() {
            [_, width] => Ok(Self(vec![*width])),
            dims => Err(Error::Config(format!("a layer reads sequences, [T, F], and a row is {dims:?}"))),
        }
    }

    /// The same shape, where its last dimension is what a layer reads.
    ///
    /// # Errors
    /// Another last dimension.
    pub fn require_width(&self, layer: &str, width: usize) -> Result<Self> {
        if self.width() == width {
            return Ok(self.clone());
        }
        let features = counted(width, "feature");
        Err(Error::Config(format!("the layer `{layer}` reads {features}, and a row is {:?}", self.0)))
    }
}
