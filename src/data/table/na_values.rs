//! `data.na_values`: further words for a missing value, as the option of pandas' `read_csv`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Further words for a missing value, numbers as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NaValues {
    /// Those of all columns.
    All(Vec<String>),
    /// Those of some columns, by their names.
    Columns(BTreeMap<String, Vec<String>>),
}

impl NaValues {
    /// Whether no column has any.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::All(words) => words.is_empty(),
            Self::Columns(columns) => columns.values().all(Vec::is_empty),
        }
    }

    /// Whether some columns have their own.
    pub fn is_by_column(&self) -> bool {
        matches!(self, Self::Columns(_))
    }

    /// Those of a column.
    pub fn of(&self, column: &str) -> &[String] {
        match self {
            Self::All(words) => words,
            Self::Columns(columns) => columns.get(column).map_or(&[], Vec::as_slice),
        }
    }

    /// The columns that are named.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        let columns = if let Self::Columns(columns) = self { Some(columns.keys()) } else { None };
        columns.into_iter().flatten()
    }
}

impl Default for NaValues {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl<'de> Deserialize<'de> for NaValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(columns) => {
                let columns = columns.into_iter().map(|(column, own)| {
                    let own = words(own).map_err(|problem| format!("has {column:?}, which {problem}"))?;
                    Ok((column, own))
                });
                columns.collect::<Result<_, String>>().map(Self::Columns).map_err(D::Error::custom)
            }
            all => words(all)
                .map(Self::All)
                .map_err(|problem| D::Error::custom(format!("{problem}, or a table of them by column"))),
        }
    }
}

/// One or several words, some of which may be numbers.
fn words(value: toml::Value) -> Result<Vec<String>, String> {
    let word = |value: toml::Value| match value {
        toml::Value::String(word) => Ok(word),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Datetime(time) => Ok(time.to_string()),
        other => Err(format!("is {other}; expected a text, a number, a date, or a list of them")),
    };
    match value {
        toml::Value::Array(words) => words.into_iter().map(word).collect(),
        one => Ok(vec![word(one)?]),
    }
}

impl Serialize for NaValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(words) => words.serialize(serializer),
            Self::Columns(columns) => columns.serialize(serializer),
        }
    }
}

impl JsonSchema for NaValues {
    fn schema_name() -> Cow<'static, str> {
        "NaValues".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let word = || json_schema!({ "anyOf": [{ "type": "string" }, { "type": "number" }] });
        let words = [
            json_schema!({ "type": "string" }),
            json_schema!({ "type": "number" }),
            json_schema!({ "type": "array", "items": word() }),
        ];
        let columns = json_schema!({ "type": "object", "additionalProperties": { "anyOf": words.clone() } });
        json_schema!({ "anyOf": words.into_iter().chain([columns]).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Data {
        na_values: NaValues,
    }

    fn read(text: &str) -> Result<NaValues, String> {
        toml::from_str::<Data>(&format!("na_values = {text}"))
            .map(|data| data.na_values)
            .map_err(|e| e.to_string())
    }

    fn all(words: &[&str]) -> NaValues {
        NaValues::All(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_list_is_of_all_columns_and_a_table_of_its_own() {
        assert_eq!(read("[-999, '?', 9.5]"), Ok(all(&["-999", "?", "9.5"])));
        assert_eq!(read("7"), Ok(all(&["7"])));
        assert_eq!(read("[1900-01-01, 'x']"), Ok(all(&["1900-01-01", "x"])));
        let own = read("{ income = [999999, -1.0], 'the grade' = 'absent' }").unwrap();
        assert_eq!(own.of("income"), ["999999", "-1"]);
        assert_eq!(own.of("the grade"), ["absent"]);
        assert!(own.of("age").is_empty());
        assert_eq!(own.columns().collect::<Vec<_>>(), ["income", "the grade"]);
        assert_eq!(all(&["x"]).columns().count(), 0);
        assert!(!own.is_empty() && read("{ a = [] }").unwrap().is_empty() && NaValues::default().is_empty());
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["['-999', '?']", "[]", "{ a = ['1'], 'b c' = [] }"] {
            let na_values = read(text).unwrap();
            let written = toml::to_string(&Data { na_values: na_values.clone() }).unwrap();
            assert_eq!(toml::from_str::<Data>(&written).unwrap().na_values, na_values, "{written}");
        }
        assert_eq!(toml::to_string(&Data { na_values: all(&["-999"]) }).unwrap(), "na_values = [\"-999\"]\n");
    }

    #[test]
    fn what_is_no_word_is_an_error_with_the_column_that_has_it() {
        let error = read("[true]").unwrap_err();
        assert!(
            error.contains("is true; expected a text, a number, a date, or a list of them, or a table"),
            "{error}"
        );
        let error = read("{ age = [1, { a = 2 }] }").unwrap_err();
        assert!(error.contains("has \"age\", which is { a = 2 }; expected a text, a number"), "{error}");
    }
}
