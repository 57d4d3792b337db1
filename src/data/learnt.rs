//! What a run has to know of its data to be asked about other rows: `data.toml`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Units;
use super::normalize::Transform;
use super::table::read::{Dialect, Format};
use super::table::{Recipe, Target};
use crate::error::{Error, Result};

/// What preprocessing learnt, and the shape of what it makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// The shape of a row as the network reads it: `[F]` or `[T, F]`.
    pub row: Vec<usize>,
    /// How many classes or values there are.
    pub outputs: usize,
    /// From the data's own form to rows.
    pub how: How,
}

/// From the data's own form to rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum How {
    /// The rows of a table.
    Table {
        /// The format of its file.
        table: TableFormat,
        /// What was learnt of its columns.
        recipe: Recipe,
    },
    /// Windows of the rows of a table.
    Series {
        /// The format of its file.
        table: TableFormat,
        /// The rows that a prediction is made from.
        window: usize,
        /// How many rows ahead it is made.
        horizon: usize,
        /// What was learnt of its columns.
        recipe: Recipe,
    },
    /// Pictures.
    Images {
        /// Their height in pixels.
        height: usize,
        /// Their width.
        width: usize,
        /// 1 of grey, 3 of coloured ones.
        channels: usize,
        /// The names of the classes.
        classes: Vec<String>,
        /// What is done with the bytes.
        transform: Transform,
    },
    /// Arrays of numbers or bytes.
    Arrays {
        /// What is done with them.
        transform: Transform,
    },
}

/// How the text of a table becomes cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableFormat {
    /// The format of its file.
    pub format: Format,
    /// CSV: what stands between cells, where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Further words for a missing value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub na_values: Vec<String>,
}

impl TableFormat {
    /// What a reader needs to know.
    pub fn dialect(&self) -> Dialect {
        let delimiter = self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
        Dialect { delimiter, na_values: self.na_values.clone() }
    }
}

impl Learnt {
    /// Reads `data.toml`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let learnt: Self = toml::from_str(&text).map_err(|e| Error::data(path, e.message().to_owned()))?;
        learnt
            .check()
            .map_err(|problem| Error::data(path, format!("{problem}; it was changed: train again")))?;
        Ok(learnt)
    }

    /// Refuses what does not fit together.
    fn check(&self) -> Result<(), String> {
        let width: usize = self.row.iter().product();
        let (features, outputs) = match &self.how {
            How::Table { recipe, .. } => (recipe.features(), recipe.target.outputs()),
            How::Series { recipe, window, .. } => (recipe.features() * window, recipe.target.outputs()),
            How::Images { height, width, channels, classes, .. } => {
                (height * width * channels, classes.len())
            }
            How::Arrays { .. } => (width, self.outputs),
        };
        if (features, outputs) == (width, self.outputs) {
            return Ok(());
        }
        Err(format!(
            "it has {features} features and {outputs} outputs, and says {width} and {}",
            self.outputs
        ))
    }

    /// As `data.toml` has it.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Config(e.to_string()))
    }

    /// What takes predictions back to the targets' own units, where they were learnt in others.
    pub fn units(&self) -> Result<Option<Units>> {
        match self.recipe().map(|recipe| &recipe.target) {
            Some(target @ Target::Values { mean, std, .. }) if target.is_standardized() => {
                Units::new(mean, std).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What was learnt of a table's columns.
    pub fn recipe(&self) -> Option<&Recipe> {
        match &self.how {
            How::Table { recipe, .. } | How::Series { recipe, .. } => Some(recipe),
            How::Images { .. } | How::Arrays { .. } => None,
        }
    }

    /// What is done with pictures and arrays.
    pub fn transform(&self) -> Option<&Transform> {
        match &self.how {
            How::Images { transform, .. } | How::Arrays { transform } => Some(transform),
            How::Table { .. } | How::Series { .. } => None,
        }
    }

    /// The names of the classes, where they have some.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.how {
            How::Images { classes, .. } => Some(classes),
            _ => match &self.recipe()?.target {
                Target::Classes { classes, .. } => Some(classes),
                Target::Probabilities { names } => Some(names),
                _ => None,
            },
        }
    }
}
