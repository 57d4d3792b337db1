//! The options of a table.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::column_names::ColumnNames;
use super::na_values::NaValues;
use super::read::Format;
use crate::data::preprocess::CalendarPart;
use crate::error::{Error, Result};

/// A table in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct Options {
    /// The file, gzipped or not.
    pub path: PathBuf,
    /// The column or columns to predict.
    pub target: ColumnNames,
    /// The test split: a fraction of the rows, stratified by class, or another file.
    pub test: Test,
    /// A column of numbers that say how much each row counts, in the loss, the metrics and what is fitted; default: rows
    /// count alike. A weight of 2 is as the row twice.
    pub weight: Option<String>,
    /// A column that assigns each row to "train", "validation" or "test".
    pub split_column: Option<String>,
    /// A column, or several, whose rows go to the same split together, as with scikit-learn's `GroupKFold`: patients,
    /// customers, machines. Shares are of rows, as nearly as whole groups allow. No feature, unless `columns` gives its kind.
    pub group: ColumnNames,
    /// Column kinds that override the inferred ones.
    pub columns: BTreeMap<String, ColumnKind>,
    /// Further features of each date, each as sine and cosine: "hour" of the day, "weekday", "month" of the year.
    pub calendar: Vec<CalendarPart>,
    /// How to fill missing cells; default: they are an error.
    pub missing: Option<Missing>,
    /// Leave out the rows without a target, as pandas' `dropna(subset=[target])` does; default: they are an error.
    pub drop_missing_target: bool,
    /// Further words or numbers that mean a missing value, besides those of pandas: one or a list for all
    /// columns, or a table of lists by column, like pandas' dict.
    pub na_values: NaValues,
    /// Read text that pandas takes for a missing value, such as `NA`, as text; an empty cell stays missing.
    pub keep_na: bool,
    /// CSV: the delimiter; default: whichever of `,` `;` tab and `|` is most frequent in the header.
    pub delimiter: Option<char>,
    /// CSV: the decimal point of numbers; default: `.`.
    pub decimal: Option<char>,
    /// CSV: the character that groups the digits of numbers by thousands; default: none.
    pub thousands: Option<char>,
    /// Standardise numeric targets for training: `(y - mean) / std`.
    pub standardize_target: bool,
    /// Keep up to this many MiB of encoded rows in memory, more in a temporary file.
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            target: ColumnNames::default(),
            test: Test::default(),
            weight: None,
            split_column: None,
            group: ColumnNames::default(),
            columns: BTreeMap::new(),
            calendar: Vec::new(),
            missing: None,
            drop_missing_target: false,
            na_values: NaValues::default(),
            keep_na: false,
            delimiter: None,
            decimal: None,
            thousands: None,
            standardize_target: true,
            memory: 256,
        }
    }
}

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// A number, normalised by `normalize`.
    Number,
    /// Yes or no, as 1 or 0.
    Boolean,
    /// One of some names: one-hot encoded up to 32 names, else with a learnt embedding.
    Category,
    /// One of some names, one-hot encoded however many there are.
    Onehot,
    /// One of many names, with a learnt embedding.
    Embedding,
    /// A date or time, as days, normalised by `normalize`.
    Date,
    /// Not used.
    Ignore,
}

impl ColumnKind {
    /// Whether the cells are names, whatever they look like.
    pub(super) fn is_names(self) -> bool {
        matches!(self, Self::Category | Self::Onehot | Self::Embedding)
    }
}

/// How to fill missing cells. In a column of names, "mean" and "median" stand for the most frequent name and "zero" for an
/// unknown one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// With the mean of the training rows.
    Mean,
    /// With the median of the training rows.
    Median,
    /// With 0.
    Zero,
    /// As a category of its own; numbers get the mean and a further feature that is 1 where the cell is missing.
    Category,
    /// Series: with the last value before it, as pandas' `ffill`.
    Previous,
    /// Series: numbers linearly in time between the values around them, as pandas' `interpolate`; else as "previous".
    Interpolate,
}

/// The source of the test split.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// This fraction of the rows; 0: no test split.
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
            toml::Value::String(number) if number.trim().parse::<f64>().is_ok() => {
                let problem =
                    format!("is the text \"{number}\", which would be a file; write {}", number.trim());
                return Err(D::Error::custom(problem));
            }
            toml::Value::String(path) => return Ok(Self::File(path.into())),
            toml::Value::Float(share) => share,
            toml::Value::Integer(share) => share as f64,
            other => {
                let problem =
                    format!("is {other}; give a fraction of the rows, or the path of a file in quotes");
                return Err(D::Error::custom(problem));
            }
        };
        if (0.0..1.0).contains(&share) {
            return Ok(Self::Share(share));
        }
        Err(D::Error::custom(format!("is {share}; give a fraction of the rows, 0 to less than 1, or a file")))
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
    /// Validates the options before a file is opened.
    pub(super) fn check(&self, format: Format) -> Result<()> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::key("data.path", "is missing; name the file of the table"));
        }
        if self.target.0.is_empty() {
            return Err(Error::key("data.target", "is missing; name the column to predict"));
        }
        self.target.check_once("data.target")?;
        self.check_characters(format)?;
        CalendarPart::check(&self.calendar)?;
        if self.split_column.is_some() && self.test != Test::default() {
            return Err(Error::key("data.split_column", "cannot be used with `data.test`; choose one"));
        }
        self.group.check_once("data.group")?;
        if self.split_column.is_some() && !self.group.0.is_empty() {
            let problem =
                "cannot be used with `data.split_column`, which assigns every row itself; choose one";
            return Err(Error::key("data.group", problem));
        }
        Ok(())
    }

    /// Validates the characters that structure a CSV file.
    fn check_characters(&self, format: Format) -> Result<()> {
        let all = [
            ("data.delimiter", self.delimiter),
            ("data.decimal", self.decimal),
            ("data.thousands", self.thousands),
        ];
        for (key, given) in all {
            let Some(given) = given else { continue };
            if !given.is_ascii() || matches!(given, '"' | '\n' | '\r') || format != Format::Csv {
                let problem = "must be one ASCII character other than a quote, and is for CSV";
                return Err(Error::key(key, problem));
            }
            if key != "data.delimiter" && (given.is_ascii_alphanumeric() || "+-".contains(given)) {
                return Err(Error::key(key, format!("is `{given}`, which is a part of numbers already")));
            }
        }
        let decimal = self.decimal.unwrap_or('.');
        if self.thousands == Some(decimal) {
            return Err(Error::key(
                "data.thousands",
                format!(
                    "is `{decimal}`, which is the decimal point; set `data.decimal` to another character"
                ),
            ));
        }
        Ok(())
    }

    /// The format of another file of the same table.
    pub(super) fn format_of(path: &Path, own: Format) -> Format {
        Format::of(path).unwrap_or(own)
    }
}
