//! A factor that declines along a run: of weight decay and of dropout.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Schedule;
use super::flat_cos::FlatCos;
use crate::registry::{self, schema, take_name};

/// The names that it can have.
const NAMES: &[&str] = &["flat_cos"];

/// `flat_cos` as a factor, as in `weight_decay = "flat_cos"`; a table has its options.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Declining(pub FlatCos);

impl Declining {
    /// The factor after `k` steps.
    pub fn factor(self, k: u64) -> f64 {
        self.0.lr(1.0, k)
    }
}

impl<'de> Deserialize<'de> for Declining {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(table) => table,
            name @ toml::Value::String(_) => toml::Table::from_iter([("name".to_owned(), name)]),
            other => return Err(D::Error::custom(format!("is {other}; it must be \"flat_cos\""))),
        };
        let read = take_name(&mut table, "schedule of a factor", NAMES).and_then(|name| {
            if !NAMES.contains(&name.as_str()) {
                return Err(registry::unknown_name(&name, "schedule of a factor", NAMES));
            }
            let read: FlatCos = registry::decode(table)?;
            read.check().map(|()| Self(read))
        });
        read.map_err(|error| registry::inside(&error))
    }
}

impl Serialize for Declining {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == FlatCos::default() {
            return "flat_cos".serialize(serializer);
        }
        let mut table = toml::Table::try_from(self.0).map_err(S::Error::custom)?;
        table.insert("name".to_owned(), "flat_cos".into());
        table.serialize(serializer)
    }
}

impl JsonSchema for Declining {
    fn schema_name() -> Cow<'static, str> {
        "Declining".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = schema::named::<FlatCos>("flat_cos", generator);
        json_schema!({ "anyOf": [{ "type": "string", "enum": NAMES }, table] })
    }
}
