//! Names of columns in a config.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// One or several column names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnNames(pub Vec<String>);

impl ColumnNames {
    /// Checks that a key names no column twice.
    pub(super) fn check_once(&self, key: &str) -> Result<()> {
        match self.0.iter().enumerate().find(|(place, name)| self.0[..*place].contains(name)) {
            Some((_, twice)) => Err(Error::key(key, format!("has `{}` twice", twice.escape_debug()))),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for ColumnNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("is neither the name of a column in quotes nor a list of names");
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(name) => Ok(Self(vec![name])),
            toml::Value::Array(names) => {
                let names = names.into_iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong));
                Ok(Self(names.collect::<Result<_, _>>()?))
            }
            _ => Err(wrong()),
        }
    }
}

impl JsonSchema for ColumnNames {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

impl Serialize for ColumnNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [name] => name.serialize(serializer),
            names => names.serialize(serializer),
        }
    }
}
