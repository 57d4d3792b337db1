//! Normalisation of inputs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::elements::Elements;
use super::feature_rows::{FeatureRows, FeatureStatistics};
use crate::data::Rows;
use crate::data::bytes::Bytes;
use crate::error::{Error, Result};
use crate::registry::schema::positive;
use crate::registry::{decode_value, inside};

/// The normalisation of inputs, fitted on the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Normalize {
    /// None; images are divided by 255.
    #[default]
    None,
    /// `(x - mean) / std` with given numbers, after images are divided by 255.
    Fixed {
        /// Subtracted.
        mean: f64,
        /// Divided by.
        std: f64,
    },
    /// Mean 0 and standard deviation 1 per feature.
    Standard,
    /// The range 0 to 1 per feature.
    MinMax,
    /// Median 0 and an interquartile range of 1 per feature.
    Robust,
    /// As `Robust`, half the range in place of quartiles that coincide, then within ±3: `x / √(1 + (x/3)²)`.
    RobustSmooth,
    /// By its quantiles to a normal distribution per feature.
    Quantile,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fixed {
    /// Subtracted.
    mean: f64,
    /// Divided by.
    #[schemars(transform = positive)]
    std: f64,
}

impl JsonSchema for Normalize {
    fn schema_name() -> Cow<'static, str> {
        "Normalize".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fixed = Fixed::json_schema(generator);
        json_schema!({ "anyOf": [{ "type": "string", "enum": NAMES }, fixed] })
    }
}

/// The words for `normalize`.
const NAMES: [&str; 6] = ["none", "standard", "minmax", "robust", "robust_smooth", "quantile"];

/// The values of `normalize`, for messages.
const WAYS: &str = "it must be \"standard\", \"minmax\", \"robust\", \"robust_smooth\", \"quantile\", \"none\" or \
                    { mean = 0.5, std = 0.5 }";

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(name) => match name.as_str() {
                "none" => Ok(Self::None),
                "standard" => Ok(Self::Standard),
                "minmax" => Ok(Self::MinMax),
                "robust" => Ok(Self::Robust),
                "robust_smooth" => Ok(Self::RobustSmooth),
                "quantile" => Ok(Self::Quantile),
                other => Err(D::Error::unknown_variant(other, &NAMES)),
            },
            value => {
                if !value.is_table() {
                    return Err(D::Error::custom(format!("is {value}; {WAYS}")));
                }
                let Fixed { mean, std } = decode_value(value).map_err(|e| inside::<D::Error>(&e))?;
                let fixed = Self::Fixed { mean, std };
                fixed.check().map_err(D::Error::custom)?;
                Ok(fixed)
            }
        }
    }
}

impl Serialize for Normalize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::None => "none".serialize(serializer),
            Self::Standard => "standard".serialize(serializer),
            Self::MinMax => "minmax".serialize(serializer),
            Self::Robust => "robust".serialize(serializer),
            Self::RobustSmooth => "robust_smooth".serialize(serializer),
            Self::Quantile => "quantile".serialize(serializer),
            Self::Fixed { mean, std } => Fixed { mean, std }.serialize(serializer),
        }
    }
}

impl Normalize {
    /// Validates given numbers.
    pub(in crate::data) fn check(self) -> Result<(), &'static str> {
        match self {
            Self::Fixed { mean, std } if !mean.is_finite() || !std.is_finite() || std <= 0.0 => {
                Err("needs a `mean` that is finite and a `std` that is greater than 0")
            }
            _ => Ok(()),
        }
    }

    /// Whether it is fitted to the training rows.
    pub(in crate::data) fn is_fitted(self) -> bool {
        !matches!(self, Self::None | Self::Fixed { .. })
    }

    /// Whether it is fitted to the order of the training numbers, so that they have to be kept.
    pub(in crate::data) fn needs_quantiles(self) -> bool {
        matches!(self, Self::Robust | Self::RobustSmooth | Self::Quantile)
    }

    /// Fits the normalisation to rows (N, F) or (N, T, F), whose elements are multiplied by `unit`.
    ///
    /// # Errors
    /// Quantiles of weighted rows.
    pub(in crate::data) fn fit(self, rows: &Rows, bytes: Bytes, unit: f64) -> Result<Elements> {
        if self.needs_quantiles() && rows.weights.is_some() {
            let problem =
                "takes quantiles, which are not defined for weighted rows; choose \"standard\" or \"minmax\"";
            return Err(Error::key("data.normalize", problem));
        }
        let rows = FeatureRows::new(&rows.xs, bytes, rows.weights.as_deref())?;
        let statistics = match self {
            Self::None => return Ok(Elements::affine(unit, 0.0)),
            Self::Fixed { mean, std } => return Ok(Elements::affine(unit / std, -mean / std)),
            Self::Standard => rows.standard()?,
            Self::MinMax => rows.min_max()?,
            Self::Robust | Self::RobustSmooth => rows.robust()?,
            Self::Quantile => {
                rows.require_few().map_err(|problem| Error::key("data.normalize", problem))?;
                let quantiles = rows.quantiles()?;
                let (offset, spread) = (vec![0.0; quantiles.len()], vec![1.0; quantiles.len()]);
                return Ok(Elements { quantiles, ..Elements::scaled(offset, spread) });
            }
        };
        let FeatureStatistics { offset, mut spread } = statistics;
        for (spread, range) in spread.iter_mut().zip(rows.min_max()?.spread) {
            *spread = self.divisor(*spread, range);
        }
        let smooth_clip = self == Self::RobustSmooth;
        Ok(Elements { smooth_clip, ..Elements::scaled(offset, spread) })
    }

    /// The divisor of a feature with this spread and range. A constant one has no spread, only a rounding error in its
    /// standard deviation.
    pub(in crate::data) fn divisor(self, spread: f64, range: f64) -> f64 {
        match self {
            // As pytabkit's RobustScaleFactory, which multiplies a constant feature by 0.
            Self::RobustSmooth if range <= 0.0 => f64::MAX,
            Self::RobustSmooth if spread <= 0.0 => range / 2.0,
            _ if range <= 0.0 || spread <= 0.0 => 1.0,
            _ => spread,
        }
    }
}
