//! The mean squared error, <https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::Loss;
use crate::data::Want;
use crate::error::Result;
use crate::kernels::squared_error::value_and_grad;
use crate::registry::KeyError;

/// `(x - y)²`, averaged over rows and values. It has no options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mse {}

impl Loss for Mse {
    fn want(&self) -> Want {
        Want::Values
    }

    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of values")]
    fn total(&self, ys: &Tensor) -> Result<f64> {
        Ok(ys.elem_count() as f64)
    }

    fn value_and_grad(&self, predictions: &Tensor, ys: &Tensor, total: f64) -> Result<(f64, Tensor)> {
        Ok(value_and_grad(predictions, ys, total)?)
    }
}
