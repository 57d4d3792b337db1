//! Gradient clipping, as `torch.nn.utils.clip_grad_norm`_ and `clip_grad_value`_.

use candle_core::Tensor;

use crate::error::Result;
use crate::kernels::norm::sum_of_squares;
use crate::kernels::update::Condition;

/// The clipping of gradients before an update.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Clip {
    /// No clipping.
    #[default]
    None,
    /// All gradients are scaled down together to this Euclidean norm, if theirs is larger (Pascanu et al. 2013).
    Norm(f64),
    /// Every element is clamped to ± this.
    Value(f64),
}

/// The clipping of one update's gradients.
#[derive(Debug, Clone, Copy)]
pub struct Clipping<'a> {
    /// The Euclidean norm of all gradients together, if it was computed.
    pub norm: Option<f64>,
    /// Every gradient is multiplied by this.
    pub scale: f64,
    /// Every element is clamped to ± this; infinity clamps nothing.
    pub clamp: f64,
    /// Decides, when the update runs, whether it is made, and scales the gradients further.
    pub condition: Option<Condition<'a>>,
}

impl Clipping<'_> {
    /// No clipping.
    pub const NONE: Clipping<'static> =
        Clipping { norm: None, scale: 1.0, clamp: f64::INFINITY, condition: None };
}

impl Clip {
    /// Whether gradients of this norm are scaled down.
    pub fn clips(self, norm: f64) -> bool {
        matches!(self, Self::Norm(max) if norm + 1e-6 > max)
    }

    /// The clipping of the gradients of all trained parameters. By norm they are multiplied by `max / (norm + 1e-6)`, at most
    /// 1, as in torch.
    pub fn of(self, gradients: &[&Tensor]) -> Result<Clipping<'static>> {
        match self {
            Self::None => Ok(Clipping::NONE),
            Self::Value(clamp) => Ok(Clipping { clamp, ..Clipping::NONE }),
            Self::Norm(max) => {
                let norm = sum_of_squares(gradients)?.sqrt();
                Ok(Clipping { norm: Some(norm), scale: (max / (norm + 1e-6)).min(1.0), ..Clipping::NONE })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_norm_is_over_all_gradients_with_torchs_epsilon() {
        let gradients = Tensor::new(&[3f64, 0.0, 4.0], &Device::Cpu).unwrap();
        let clipping = Clip::Norm(1.0).of(&[&gradients]).unwrap();
        assert_eq!(clipping.norm, Some(5.0));
        // torch: clip_grad_norm_ of [3, 4] at 1.0 leaves [0.59999988, 0.79999984] in f64 arithmetic: 3 / 5.000001.
        assert!((clipping.scale * 3.0 - 3.0 / 5.000_001).abs() < 1e-15);
        assert!((Clip::Norm(10.0).of(&[&gradients]).unwrap().scale - 1.0).abs() < 1e-15);
    }
}
