//! A value of a JSON object as a cell of a row.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::without_place;
use crate::data::table::read::dialect::Dialect;
use crate::data::table::value::Value;

/// Reads a value into a cell.
pub(super) struct CellSeed<'a, F> {
    pub(super) dialect: &'a Dialect,
    /// Whether numbers keep their text: as names, `1.10` and `1.1` are two, and 10^25 and 10^25 + 1 as well.
    pub(super) keeps_text: bool,
    /// Takes the value.
    pub(super) set: F,
}

impl<'de, F: FnOnce(Value<'_>)> DeserializeSeed<'de> for CellSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.keeps_text {
            return deserializer.deserialize_any(self);
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            let read = serde_json::Deserializer::from_str(text).deserialize_any(self);
            return read.map_err(|error| D::Error::custom(without_place(&error)));
        }
        match text.parse() {
            Ok(integer) if text != "-0" => self.set(Value::Integer(integer)),
            _ => self.set(Value::Written(text, text.parse().unwrap_or(f64::NAN))),
        }
    }
}

impl<F: FnOnce(Value<'_>)> CellSeed<'_, F> {
    #[allow(clippy::unnecessary_wraps, reason = "the return type of a visitor")]
    fn set<E>(self, value: Value<'_>) -> Result<(), E> {
        (self.set)(value);
        Ok(())
    }
}

impl<'de, F: FnOnce(Value<'_>)> Visitor<'de> for CellSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a boolean or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.set(Value::Missing)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<(), E> {
        self.set(Value::Text(if yes { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.set(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.set(Value::Integer(number)),
            Err(_) => self.set(Value::Text(&number.to_string())),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.set(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let text = text.trim();
        let value = if self.dialect.is_missing(text) { Value::Missing } else { Value::Text(text) };
        self.set(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.set(Value::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.set(Value::Nested)
    }
}
