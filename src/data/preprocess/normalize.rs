//! Normalisation of inputs.

use std::borrow::Cow;

use candle_core::Tensor;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::elements::Elements;
use super::feature_rows::{FeatureRows, FeatureStatistics};
use crate::data::bytes::Bytes;
use crate::error::Result;
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
        json_schema!({ "anyOf": [{ "type": "string", "enum": ["none", "standard", "minmax", "robust"] }, fixed] })
    }
}

/// The values of `normalize`, for messages.
const WAYS: &str = "it must be \"standard\", \"minmax\", \"robust\", \"none\" or { mean = 0.5, std = 0.5 }";

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(name) => match name.as_str() {
                "none" => Ok(Self::None),
                "standard" => Ok(Self::Standard),
                "minmax" => Ok(Self::MinMax),
                "robust" => Ok(Self::Robust),
                other => Err(D::Error::unknown_variant(other, &["standard", "minmax", "robust", "none"])),
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

    /// Fits the normalisation to rows (N, F) or (N, T, F), whose elements are multiplied by `unit`.
    pub(in crate::data) fn fit(self, xs: &Tensor, bytes: Bytes, unit: f64) -> Result<Elements> {
        let rows = FeatureRows::new(xs, bytes)?;
        let FeatureStatistics { offset, mut spread } = match self {
            Self::None => return Ok(Elements::affine(unit, 0.0)),
            Self::Fixed { mean, std } => return Ok(Elements::affine(unit / std, -mean / std)),
            Self::Standard => rows.standard()?,
            Self::MinMax => rows.min_max()?,
            Self::Robust => rows.robust()?,
        };
        // A constant feature has no spread to divide by, only a rounding error in its standard deviation.
        for (spread, range) in spread.iter_mut().zip(rows.min_max()?.spread) {
            if range == 0.0 || *spread == 0.0 {
                *spread = 1.0;
            }
        }
        Ok(Elements { scale: 1.0, shift: 0.0, offset, spread })
    }
}
