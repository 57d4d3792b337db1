//! The target of a table.

use serde::{Deserialize, Serialize};

use super::target_scale::TargetScale;
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
        /// Whether they are text in a file whose cells have types, so that a name is no number whatever it looks like.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        text: bool,
    },
    /// Numbers.
    Values {
        /// The columns.
        names: Vec<String>,
        /// From them to the values that the network learns.
        #[serde(flatten)]
        scale: TargetScale,
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

    /// Whether the classes are text in a file whose cells have types.
    pub fn has_text_classes(&self) -> bool {
        matches!(self, Self::Classes { text: true, .. })
    }

    /// A description for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Classes { classes, .. } => {
                let names = first_few(classes.iter().map(|name| quoted(name)));
                format!("target of {} classes: {names}", classes.len())
            }
            Self::Values { scale, .. } => scale.describe(),
            Self::Probabilities { .. } => "target, a probability".to_owned(),
            Self::Labels { .. } => "target, yes or no".to_owned(),
        }
    }
}
