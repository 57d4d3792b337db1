//! What training makes small.
//!
//! A loss gives a sum over rows and the gradient of that sum over a `total` that the caller knows before the first
//! row: so a batch that is taken in parts gives the same gradient as the whole.

pub mod cross_entropy;
pub mod mse;

use candle_core::Tensor;

use crate::data::Want;
use crate::error::Result;
use crate::registry;
use crate::registry::KeyError;

/// The distance of predictions from targets.
pub trait Loss {
    /// The kind of targets.
    fn want(&self) -> Want;

    /// Refuses options that cannot be.
    fn check(&self) -> Result<(), KeyError>;

    /// Refuses options that do not fit a prediction of this many numbers.
    fn check_outputs(&self, _outputs: usize) -> Result<(), KeyError> {
        Ok(())
    }

    /// What the sum over these targets is divided by to be the mean.
    fn total(&self, ys: &Tensor) -> Result<f64>;

    /// The sum of the losses of predictions (N, K) against targets ys, and the gradient of that sum over `total`.
    fn value_and_grad(&self, predictions: &Tensor, ys: &Tensor, total: f64) -> Result<(f64, Tensor)>;
}

registry! {
    /// The known losses, by `loss.name`.
    pub enum Losses: "loss", Loss {
        "cross_entropy" => CrossEntropy(cross_entropy::CrossEntropy),
        "mse" => Mse(mse::Mse),
    }
}
