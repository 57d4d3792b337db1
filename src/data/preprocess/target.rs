//! The target of a table.

use serde::{Deserialize, Serialize};

use crate::data::table::read::quoted;
use crate::names::first_few;

/// The target of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Target {
    /// One of some classes.
    Classes {
        /// The column.
        name: String,
        /// The names of the classes, in the order of their numbers.
        classes: Vec<String>,
    },
    /// Numbers; the network predicts `(y - mean) / std`.
    Values {
        /// The columns.
        names: Vec<String>,
        /// The mean of each.
        mean: Vec<f64>,
        /// The standard deviation of each.
        std: Vec<f64>,
    },
    /// A probability for each class.
    Probabilities {
        /// The columns.
        names: Vec<String>,
    },
    /// Binary labels.
    Labels {
        /// The columns.
        names: Vec<String>,
        /// The words for no and yes of each.
        words: Vec<[String; 2]>,
    },
}

impl Target {
    /// The columns.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classes { name, .. } => std::slice::from_ref(name),
            Self::Values { names, .. } | Self::Probabilities { names } | Self::Labels { names, .. } => names,
        }
    }

    /// Whether the network predicts standardised values.
    #[allow(clippy::float_cmp, reason = "values that are not standardised have exactly 0 and 1")]
    pub fn is_standardized(&self) -> bool {
        match self {
            Self::Values { mean, std, .. } => mean.iter().any(|m| *m != 0.0) || std.iter().any(|s| *s != 1.0),
            _ => false,
        }
    }

    /// The number of classes, or of values.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => classes.len(),
            _ => self.names().len(),
        }
    }

    /// The number of target columns.
    pub fn width(&self) -> usize {
        self.names().len()
    }

    /// The names of the classes, where they have some.
    pub fn class_names(&self) -> Option<&[String]> {
        match self {
            Self::Classes { classes, .. } => Some(classes),
            Self::Probabilities { names } => Some(names),
            Self::Labels { words, .. } => match words.as_slice() {
                [words] => Some(words),
                _ => None,
            },
            Self::Values { .. } => None,
        }
    }

    /// A description for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Classes { classes, .. } => {
                let names = first_few(classes.iter().map(|name| quoted(name)));
                format!("target of {} classes: {names}", classes.len())
            }
            Self::Values { .. } => "target, a number".to_owned(),
            Self::Probabilities { .. } => "target, a probability".to_owned(),
            Self::Labels { .. } => "target, yes or no".to_owned(),
        }
    }
}
