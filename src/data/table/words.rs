//! Options that are one word or several.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One or several words, some of which may be numbers.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let word = |value: toml::Value| match value {
        toml::Value::String(word) => Ok(word),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        other => Err(D::Error::custom(format!("is {other}; expected a text, a number, or a list of them"))),
    };
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Array(words) => words.into_iter().map(word).collect(),
        one => Ok(vec![word(one)?]),
    }
}

/// The schema of [`words`].
pub(super) fn words_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string" },
        { "type": "number" },
        { "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "number" }] } }
    ] })
}
