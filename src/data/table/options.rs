//! `[data]` of a table.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::read::{Dialect, Format};
use crate::error::{Error, Result};

/// The options of a table in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct Options {
    /// The file, gzipped or not.
    pub path: PathBuf,
    /// The column to predict, or several.
    pub target: Names,
    /// The test split: a share of the rows, or another file.
    pub test: Test,
    /// A column that says of each row whether it is for "train", "validation" or "test".
    pub split_column: Option<String>,
    /// The kinds of columns, where they are not what their values look like.
    pub columns: BTreeMap<String, ColumnKind>,
    /// What a missing cell becomes; left out: an error.
    pub missing: Option<Missing>,
    /// Words for a missing value besides those of pandas.
    pub na_values: Vec<String>,
    /// CSV: what stands between cells; left out: the one of `,` `;` tab and `|` that the header has most of.
    pub delimiter: Option<char>,
    /// Whether the network learns targets that are numbers as `(y - mean) / std`.
    pub standardize_target: bool,
    /// Encoded rows of up to so many MiB are kept in memory, more in a file.
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            target: Names::default(),
            test: Test::default(),
            split_column: None,
            columns: BTreeMap::new(),
            missing: None,
            na_values: Vec::new(),
            delimiter: None,
            standardize_target: true,
            memory: 256,
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// A number, normalised.
    Number,
    /// Yes or no: 1 or 0.
    Boolean,
    /// One of some names: a column of 0 and 1 for each.
    Category,
    /// One of many names: a learnt vector for each.
    Embedding,
    /// A date or time: a number of days, normalised.
    Date,
    /// Nothing that is used.
    Ignore,
}

/// What stands in for a missing cell. In a column of names "mean" and "median" are the most frequent one, and "zero"
/// is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The mean of the training rows.
    Mean,
    /// Their median.
    Median,
    /// 0.
    Zero,
    /// A category of its own; of numbers the mean, and a further feature that says that it is missing.
    Category,
}

/// One name, or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("expected the name of a column, or a list of names");
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

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [name] => name.serialize(serializer),
            names => names.serialize(serializer),
        }
    }
}

/// Where the test split comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// So large a share of the rows; 0: there is none.
    Share(f64),
    /// Another file.
    File(PathBuf),
}

impl Default for Test {
    fn default() -> Self {
        Self::Share(0.0)
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[allow(clippy::cast_precision_loss, reason = "0, or an error")]
        let share = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(path) => return Ok(Self::File(path.into())),
            toml::Value::Float(share) => share,
            toml::Value::Integer(share) => share as f64,
            _ => {
                return Err(D::Error::custom(
                    "expected a share of the rows, or the path of a file in quotes",
                ));
            }
        };
        if (0.0..1.0).contains(&share) {
            return Ok(Self::Share(share));
        }
        Err(D::Error::custom(format!("is {share}; it is a share of the rows, 0 to less than 1, or a file")))
    }
}

impl JsonSchema for Test {
    fn schema_name() -> Cow<'static, str> {
        "Test".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0, "exclusiveMaximum": 1 },
            { "type": "string" }
        ] })
    }
}

impl Serialize for Test {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Share(share) => share.serialize(serializer),
            Self::File(path) => path.serialize(serializer),
        }
    }
}

impl Options {
    /// Refuses what cannot be, before a file is opened.
    pub(super) fn check(&self, format: Format) -> Result<()> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::key("data.path", "is missing; name the file of the table"));
        }
        if self.target.0.is_empty() {
            return Err(Error::key("data.target", "is missing; name the column to predict"));
        }
        if let Some(twice) =
            self.target.0.iter().enumerate().find(|(i, name)| self.target.0[..*i].contains(name))
        {
            return Err(Error::key("data.target", format!("has `{}` twice", twice.1.escape_debug())));
        }
        if let Some(delimiter) = self.delimiter
            && (!delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r') || format != Format::Csv)
        {
            return Err(Error::key(
                "data.delimiter",
                "must be one ASCII character other than a quote, and is for CSV",
            ));
        }
        if self.split_column.is_some() && self.test != Test::default() {
            return Err(Error::key("data.split_column", "cannot be used with `data.test`; choose one"));
        }
        Ok(())
    }

    pub(super) fn dialect(&self) -> Dialect {
        let delimiter = self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
        Dialect { delimiter, na_values: self.na_values.clone() }
    }

    /// The format of another file of the same table.
    pub(super) fn format_of(path: &Path, own: Format) -> Format {
        Format::of(path).unwrap_or(own)
    }
}
