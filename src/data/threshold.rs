//! `data.threshold`: from which probability on a row is predicted as the positive one of two classes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The threshold of a run of two classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// This probability, from 0 to 1.
    Probability(f64),
    /// The one that gives the best F1 on the validation rows. Until it is chosen, at the end of the run, the more probable
    /// class is predicted.
    F1,
}

impl Threshold {
    /// Validates that a given number is a probability.
    pub(super) fn check(self) -> Result<(), String> {
        match self {
            Self::Probability(threshold) if !(0.0..=1.0).contains(&threshold) => {
                Err(format!("is {threshold}; give a probability, 0 to 1, or \"f1\""))
            }
            _ => Ok(()),
        }
    }

    /// The number, where it is given.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Probability(threshold) => Some(threshold),
            Self::F1 => None,
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Probability(threshold) => threshold.serialize(serializer),
            Self::F1 => "f1".serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[allow(clippy::cast_precision_loss, reason = "0, 1, or an error")]
        let threshold = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(name) if name == "f1" => return Ok(Self::F1),
            toml::Value::Float(threshold) => threshold,
            toml::Value::Integer(threshold) => threshold as f64,
            other => {
                return Err(D::Error::custom(format!("is {other}; give a probability, 0 to 1, or \"f1\"")));
            }
        };
        let threshold = Self::Probability(threshold);
        threshold.check().map_err(D::Error::custom)?;
        Ok(threshold)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "enum": ["f1"] }
        ] })
    }
}
