//! Xavier and Kaiming initialisers, which preserve the variance of activations or gradients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draws::{normal, uniform};
use super::gain::{Fan, Nonlinearity};
use super::initializer::{Initializer, ParamShape};
use super::schemes::check_finite;
use crate::error::Result;
use crate::registry::KeyError;
use crate::rng::Stream;

scheme! {
    /// U(-b, b) with b = gain √(6 / (fan in + fan out)): Glorot and Bengio 2010.
    XavierUniform {
        /// A factor for the activation; torch's `calculate_gain` gives them.
        gain: f64 = 1.0,
    }
}

scheme! {
    /// N(0, std²) with std = gain √(2 / (fan in + fan out)): Glorot and Bengio 2010.
    XavierNormal {
        /// A factor for the activation.
        gain: f64 = 1.0,
    }
}

scheme! {
    /// U(-b, b) with b = gain √(3 / fan): He et al. 2015.
    KaimingUniform {
        /// The slope of `leaky_relu` below 0.
        a: f64 = 0.0,
        /// `fan_in` keeps the variance forward, `fan_out` backward.
        mode: Fan = Fan::FanIn,
        /// The activation that the gain is for.
        nonlinearity: Nonlinearity = Nonlinearity::LeakyRelu,
    }
}

scheme! {
    /// N(0, std²) with std = gain / √fan: He et al. 2015.
    KaimingNormal {
        /// The slope of `leaky_relu` below 0.
        a: f64 = 0.0,
        /// `fan_in` keeps the variance forward, `fan_out` backward.
        mode: Fan = Fan::FanIn,
        /// The activation that the gain is for.
        nonlinearity: Nonlinearity = Nonlinearity::LeakyRelu,
    }
}

/// The standard deviation of a Kaiming initialiser.
fn kaiming(shape: &ParamShape, mode: Fan, nonlinearity: Nonlinearity, slope: f64) -> Result<f64> {
    let (fan_in, fan_out) = shape.fans()?;
    let fan = if mode == Fan::FanIn { fan_in } else { fan_out };
    Ok(nonlinearity.gain(slope) / fan.sqrt())
}

fn xavier(shape: &ParamShape, gain: f64) -> Result<f64> {
    let (fan_in, fan_out) = shape.fans()?;
    Ok(gain * (2.0 / (fan_in + fan_out)).sqrt())
}

impl Initializer for XavierUniform {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("gain", self.gain)])
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        let bound = 3f64.sqrt() * xavier(shape, self.gain)?;
        Ok(uniform(shape.count(), (-bound, bound), stream))
    }

    fn fits_vectors(&self) -> bool {
        false
    }
}

impl Initializer for XavierNormal {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("gain", self.gain)])
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        Ok(normal(shape.count(), (0.0, xavier(shape, self.gain)?), stream))
    }

    fn fits_vectors(&self) -> bool {
        false
    }
}

impl Initializer for KaimingUniform {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("a", self.a)])
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        let bound = 3f64.sqrt() * kaiming(shape, self.mode, self.nonlinearity, self.a)?;
        Ok(uniform(shape.count(), (-bound, bound), stream))
    }

    fn fits_vectors(&self) -> bool {
        false
    }
}

impl Initializer for KaimingNormal {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("a", self.a)])
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        let std = kaiming(shape, self.mode, self.nonlinearity, self.a)?;
        Ok(normal(shape.count(), (0.0, std), stream))
    }

    fn fits_vectors(&self) -> bool {
        false
    }
}
