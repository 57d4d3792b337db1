//! The activation functions of torch.nn: value and slope, each written once over [`Real`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernels::real::Real;

/// The activation functions of torch.nn, with torch's default parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`; its slope at 0 is 0, as in torch.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `x Φ(x)`, by the error function.
    Gelu,
    /// `x`, or `0.01 x` where x ≤ 0.
    LeakyRelu,
    /// `x`, or `e^x - 1` where x ≤ 0.
    Elu,
    /// Elu, scaled to keep mean 0 and variance 1: Klambauer et al. 2017.
    Selu,
    /// `x sigmoid(x)`, also called swish.
    Silu,
    /// `x tanh(softplus(x))`: Misra 2019.
    Mish,
}

pub(super) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
pub(super) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

impl Activation {
    /// Every name that a config can give.
    pub const NAMES: &'static [&'static str] =
        &["relu", "tanh", "sigmoid", "gelu", "leaky_relu", "elu", "selu", "silu", "mish"];

    /// Its name in a config.
    pub fn name(self) -> &'static str {
        // In the order of the declaration, to which a test holds it.
        Self::NAMES[self as usize]
    }

    /// The function's value at `x`.
    #[inline(always)]
    pub fn value<R: Real>(self, x: R) -> R {
        match self {
            // Not the other way round: NaN stays NaN, as in torch.
            Self::Relu => (-x).if_positive(x.constant(0.0), x),
            Self::Tanh => x.hyperbolic_tangent(),
            Self::Sigmoid => x.sigmoid(),
            Self::Gelu => x * phi(x),
            Self::LeakyRelu => x.if_positive(x, x.scale(0.01)),
            Self::Elu => x.if_positive(x, x.exponential().shift(-1.0)),
            Self::Selu => {
                x.if_positive(x.scale(SELU_SCALE), x.exponential().shift(-1.0).scale(SELU_ALPHA * SELU_SCALE))
            }
            Self::Silu => x * x.sigmoid(),
            Self::Mish => x * tanh_of_softplus(x),
        }
    }

    /// The function's slope where its argument is `x` and its value `y`. Where [`Self::needs_input`] says no, `x` is
    /// not looked at.
    #[inline(always)]
    pub fn slope<R: Real>(self, x: R, y: R) -> R {
        let one = y.constant(1.0);
        match self {
            Self::Relu => y.if_positive(one, y.constant(0.0)),
            Self::Tanh => one - y * y,
            Self::Sigmoid => y * (one - y),
            Self::Gelu => phi(x) + x * (x * x).scale(-0.5).exponential().scale(0.398_942_280_401_432_7),
            Self::LeakyRelu => y.if_positive(one, y.constant(0.01)),
            Self::Elu => y.if_positive(one, y.shift(1.0)),
            Self::Selu => y.if_positive(y.constant(SELU_SCALE), y.shift(SELU_ALPHA * SELU_SCALE)),
            Self::Silu => {
                let sigmoid = x.sigmoid();
                sigmoid * (one + x * (one - sigmoid))
            }
            Self::Mish => {
                let tanh = tanh_of_softplus(x);
                tanh + x * x.sigmoid() * (one - tanh * tanh)
            }
        }
    }

    /// Whether the slope needs the argument, or only the value.
    pub fn needs_input(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu | Self::Mish)
    }
}

/// `tanh(ln(1 + e^x))`, as a fraction of powers of `e^-|x|`, which do not overflow.
#[inline(always)]
fn tanh_of_softplus<R: Real>(x: R) -> R {
    let power = x.if_positive(-x, x).exponential();
    let twice = power.scale(2.0);
    // (1 + 2t) / (1 + 2t + 2t²) with t = e^-x, or e (e + 2) / (e (e + 2) + 2) with e = e^x.
    let (right, left) = (twice.shift(1.0), power * power + twice);
    x.if_positive(right / (right + power * twice), left / left.shift(2.0))
}

/// The normal distribution function.
#[inline(always)]
fn phi<R: Real>(x: R) -> R {
    x.scale(std::f64::consts::FRAC_1_SQRT_2).error_function().scale(0.5).shift(0.5)
}
