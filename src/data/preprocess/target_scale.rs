//! From a target's values to those that the network learns, and back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantiles::Quantiles;

/// `data.target_transform`: the transformation of numeric targets for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetTransform {
    /// `(y - mean) / std`
    Standard,
    /// `log(1 + y)`, and then as "standard".
    Log1p,
    /// To a normal distribution, by the quantiles of the training rows.
    Quantile,
}

impl TargetTransform {
    /// Its name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Log1p => "log1p",
            Self::Quantile => "quantile",
        }
    }
}

/// The values that the network learns: `(curve(y) - mean) / std` of each target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetScale {
    /// The mean of each target on its curve.
    pub mean: Vec<f64>,
    /// The standard deviation of each.
    pub std: Vec<f64>,
    /// The smallest and the largest prediction of each; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub range: Vec<[f64; 2]>,
    /// The function before it.
    #[serde(default, skip_serializing_if = "TargetCurve::is_identity")]
    pub curve: TargetCurve,
}

/// A function of a target's values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetCurve {
    /// The values themselves.
    #[default]
    Identity,
    /// `log(1 + y)`
    Log1p,
    /// The number of the normal distribution at the value's share of the training values, for each target.
    Quantile(Vec<Quantiles>),
}

impl TargetCurve {
    /// Whether it changes nothing.
    pub fn is_identity(&self) -> bool {
        *self == Self::Identity
    }

    fn value(&self, target: usize, y: f64) -> f64 {
        match self {
            Self::Identity => y,
            Self::Log1p => y.ln_1p(),
            Self::Quantile(all) => all.get(target).map_or(y, |quantiles| quantiles.to_normal(y)),
        }
    }

    fn inverse(&self, target: usize, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log1p => value.exp_m1(),
            Self::Quantile(all) => all.get(target).map_or(value, |quantiles| quantiles.from_normal(value)),
        }
    }
}

impl TargetScale {
    /// So many targets as they are.
    pub fn identity(targets: usize) -> Self {
        let (mean, std, range) = (vec![0.0; targets], vec![1.0; targets], Vec::new());
        Self { mean, std, range, curve: TargetCurve::Identity }
    }

    /// The same targets so many times in turn, as in the steps of a forecast.
    pub(crate) fn repeat(self, steps: usize) -> Self {
        let curve = match self.curve {
            TargetCurve::Quantile(all) => TargetCurve::Quantile(vec![all; steps].concat()),
            other => other,
        };
        let (mean, std, range) = (self.mean.repeat(steps), self.std.repeat(steps), self.range.repeat(steps));
        Self { mean, std, range, curve }
    }

    /// Whether it changes neither targets nor predictions.
    pub fn is_identity(&self) -> bool {
        self.curve.is_identity() && self.range.is_empty() && !self.is_standardized()
    }

    /// Whether the values have another mean or deviation than those on the curve.
    #[allow(clippy::float_cmp, reason = "values that are not standardised have exactly 0 and 1")]
    pub fn is_standardized(&self) -> bool {
        self.mean.iter().any(|m| *m != 0.0) || self.std.iter().any(|s| *s != 1.0)
    }

    /// Whether it has a value for this number of the targets' own.
    pub fn takes(&self, y: f64) -> bool {
        self.curve != TargetCurve::Log1p || y > -1.0
    }

    /// The value that the network learns for the value `y` of a target.
    pub fn value(&self, target: usize, y: f64) -> f64 {
        (self.curve.value(target, y) - self.mean[target]) / self.std[target]
    }

    /// The prediction of a target for the network's `value`, in the target's units.
    pub fn restore(&self, target: usize, value: f64) -> f64 {
        let y = self.curve.inverse(target, value * self.std[target] + self.mean[target]);
        match self.range.get(target) {
            // Not `clamp`, which panics if the saved range is damaged.
            Some([low, high]) => y.max(*low).min(*high),
            None => y,
        }
    }

    /// The distance of two values of a target for the network.
    pub fn distance(&self, target: usize, a: f64, b: f64) -> f64 {
        (self.curve.value(target, a) - self.curve.value(target, b)).abs() / self.std[target]
    }

    /// A description for people.
    pub(super) fn describe(&self) -> String {
        let curve = match &self.curve {
            TargetCurve::Identity => "",
            TargetCurve::Log1p => ", learnt as log(1 + y)",
            TargetCurve::Quantile(_) => ", made normal by its quantiles",
        };
        let clamped =
            if self.range.is_empty() { "" } else { ", predicted within the range of the training rows" };
        format!("target, a number{curve}{clamped}")
    }
}
