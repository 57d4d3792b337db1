//! `data.horizon`: which of the rows after a window are predicted.

use std::borrow::Cow;
use std::fmt::Display;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest `window` and `horizon`.
pub(super) const MOST_ROWS: usize = 1 << 20;

/// Reads a number of rows, from `least` on.
fn rows_from<E: serde::de::Error>(value: &toml::Value, least: usize) -> Result<usize, E> {
    let rows = value.as_integer().and_then(|rows| usize::try_from(rows).ok());
    let is_one = |rows: &usize| (least..=MOST_ROWS).contains(rows);
    rows.filter(is_one).ok_or_else(|| E::custom(out_of_range(value, least)))
}

/// The problem with a value that is no number of rows from `least` on.
pub(super) fn out_of_range(value: &dyn Display, least: usize) -> String {
    format!("is {value}; it is a number of rows, {least} to {MOST_ROWS}")
}

/// Reads a number of rows.
pub(super) fn number_of_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    rows_from(&toml::Value::deserialize(deserializer)?, 1)
}

/// Reads a number of rows that is set.
pub(super) fn some_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    rows_from(&toml::Value::deserialize(deserializer)?, 1).map(Some)
}

/// Reads a number of missing rows that is set.
pub(super) fn some_missing_rows<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<usize>, D::Error> {
    rows_from(&toml::Value::deserialize(deserializer)?, 0).map(Some)
}

/// The rows after a window that are predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Horizon {
    /// All of so many next rows.
    Next(usize),
    /// These alone, counted from 1.
    Steps(Vec<usize>),
}

impl Default for Horizon {
    fn default() -> Self {
        Self::Next(1)
    }
}

impl Horizon {
    /// The predicted rows, counted from 1 after the window.
    pub fn steps(&self) -> Vec<usize> {
        match self {
            Self::Next(count) => (1..=*count).collect(),
            Self::Steps(steps) => steps.clone(),
        }
    }

    /// Validates the numbers; an error is the predicate of a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let steps = match self {
            Self::Next(count) => std::slice::from_ref(count),
            Self::Steps(steps) => steps,
        };
        if let Some(wrong) = steps.iter().find(|step| !(1..=MOST_ROWS).contains(*step)) {
            return Err(out_of_range(wrong, 1));
        }
        if steps.is_empty() || steps.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(format!(
                "is {steps:?}; list the predicted rows in order, each once, as [1, 6, 24], or give a number for all of \
                 the next rows"
            ));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Horizon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let rows = |value: &toml::Value| rows_from(value, 1);
        let horizon = match &value {
            toml::Value::Array(steps) => Self::Steps(steps.iter().map(rows).collect::<Result<_, _>>()?),
            value => Self::Next(rows(value)?),
        };
        horizon.check().map_err(D::Error::custom)?;
        Ok(horizon)
    }
}

impl Serialize for Horizon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Next(count) => count.serialize(serializer),
            Self::Steps(steps) => steps.serialize(serializer),
        }
    }
}

impl JsonSchema for Horizon {
    fn schema_name() -> Cow<'static, str> {
        "Horizon".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rows = serde_json::json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS });
        json_schema!({ "anyOf": [rows, { "type": "array", "items": rows, "minItems": 1, "uniqueItems": true }] })
    }
}
