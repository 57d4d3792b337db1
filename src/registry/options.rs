//! Lists the options of a config type.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// The options of a config type as pairs of name and default. Defaults are in TOML notation; `none` if there is none.
pub fn options<T: Default + Serialize + DeserializeOwned>() -> Vec<(String, String)> {
    with_defaults(field_names::<T>(), &Table::try_from(T::default()).unwrap_or_default())
}

/// Apart from [`options`], so that it is compiled once instead of once a type.
fn with_defaults(fields: &[&str], defaults: &Table) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|field| {
            let default = defaults.get(*field).map_or("none".to_owned(), notation);
            ((*field).to_owned(), default)
        })
        .collect()
}

/// A value in its usual notation: 1e-8, not 0.00000001.
pub fn notation(value: &Value) -> String {
    match value {
        Value::Float(number)
            if number.is_finite() && *number != 0.0 && !(1e-3..1e7).contains(&number.abs()) =>
        {
            format!("{number:e}")
        }
        other => other.to_string(),
    }
}

/// The names of the fields that a struct deserialises. A serialised default does not have them all: TOML has no null.
fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Fields<'a>(&'a mut &'static [&'static str]);

    impl<'de> serde::Deserializer<'de> for Fields<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only the field names are needed"))
        }

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // Always an error: the names are known by then.
    let _ = T::deserialize(Fields(&mut names));
    names
}
