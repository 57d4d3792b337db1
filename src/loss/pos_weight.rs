//! The weight of positive labels.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::Weights;
use crate::registry::KeyError;

/// The weight of positive targets: one number for all labels, which torch broadcasts, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PosWeight {
    /// The same for every label.
    All(f64),
    /// One for each label.
    Each(Weights),
}

impl PosWeight {
    /// The weights in the order of the labels; `None` before [`Self::in_order`].
    pub(super) fn list(&self) -> Option<&[f64]> {
        match self {
            Self::All(_) => None,
            Self::Each(weights) => weights.list(),
        }
    }

    /// Validates them, as the option `key`: finite and 0 or more.
    pub(super) fn check(&self, key: &str) -> Result<(), KeyError> {
        match self {
            Self::All(weight) if weight.is_finite() && *weight >= 0.0 => Ok(()),
            Self::All(_) => Err(KeyError::new(key, "is not a finite number of 0 or more")),
            Self::Each(weights) => weights.check(key),
        }
    }

    /// One weight for each of so many outputs, in the order of these names.
    ///
    /// # Errors
    /// A name that is none of them.
    pub(super) fn in_order(&self, key: &str, names: &[String], outputs: usize) -> Result<Vec<f64>, KeyError> {
        match self {
            Self::All(weight) => Ok(vec![*weight; outputs]),
            Self::Each(weights) => weights.in_order(key, names),
        }
    }
}

impl<'de> Deserialize<'de> for PosWeight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrEach;
        impl<'de> Visitor<'de> for OneOrEach {
            type Value = PosWeight;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a list of numbers, or a table by label names as in { yes = 5.0 }")
            }

            fn visit_f64<E>(self, weight: f64) -> Result<PosWeight, E> {
                Ok(PosWeight::All(weight))
            }

            #[allow(clippy::cast_precision_loss, reason = "a weight")]
            fn visit_i64<E>(self, weight: i64) -> Result<PosWeight, E> {
                Ok(PosWeight::All(weight as f64))
            }

            #[allow(clippy::cast_precision_loss, reason = "a weight")]
            fn visit_u64<E>(self, weight: u64) -> Result<PosWeight, E> {
                Ok(PosWeight::All(weight as f64))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<PosWeight, A::Error> {
                Weights::deserialize(SeqAccessDeserializer::new(seq)).map(PosWeight::Each)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PosWeight, A::Error> {
                Weights::deserialize(MapAccessDeserializer::new(map)).map(PosWeight::Each)
            }
        }
        deserializer.deserialize_any(OneOrEach)
    }
}

impl JsonSchema for PosWeight {
    fn schema_name() -> Cow<'static, str> {
        "PosWeight".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Weights::json_schema(generator);
        if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
            kinds.insert(0, json!({ "type": "number", "minimum": 0 }));
        }
        schema
    }
}
