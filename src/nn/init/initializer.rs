//! The trait of initialisers, and the shapes that they fill.

use crate::error::Result;
use crate::registry::KeyError;
use crate::rng::Stream;

/// An initialiser.
pub trait Initializer {
    /// The values in row-major order.
    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>>;

    /// Validates the options; an error names the key.
    fn check(&self) -> Result<(), KeyError>;

    /// Whether it can initialise a vector: torch has no fans there.
    fn fits_vectors(&self) -> bool {
        true
    }
}

/// The shape of a parameter, and its fans as torch counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamShape {
    /// The first dimension: the outputs of a layer.
    pub rows: usize,
    /// The second dimension: the inputs of a layer; 1 for a vector.
    pub cols: usize,
    /// Whether it has one dimension.
    pub vector: bool,
}

impl ParamShape {
    /// The shape of a vector or a matrix.
    pub fn of(dims: &[usize]) -> Result<Self> {
        match *dims {
            [rows] => Ok(Self { rows, cols: 1, vector: true }),
            [rows, cols] => Ok(Self { rows, cols, vector: false }),
            // A matrix for each of several features.
            [features, rows, cols] => Ok(Self { rows: features * rows, cols, vector: false }),
            _ => Err(candle_core::Error::Msg(format!(
                "a parameter of shape {dims:?}; layers have three dimensions at most"
            ))
            .into()),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.rows * self.cols
    }

    /// Inputs and outputs of the layer.
    #[allow(clippy::cast_precision_loss, reason = "widths of layers")]
    pub(super) fn fans(&self) -> Result<(f64, f64)> {
        if self.vector {
            return Err(candle_core::Error::Msg(
                "fan in and fan out need a parameter of two dimensions".to_owned(),
            )
            .into());
        }
        Ok((self.cols as f64, self.rows as f64))
    }
}
