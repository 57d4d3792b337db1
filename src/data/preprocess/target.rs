//! The target of a table.

use serde::{Deserialize, Serialize};

use super::target_scale::TargetScale;
use crate::data::table::read::quoted;
use crate::names::first_few;

/// The type that the cells of a column of classes have in the file: a class is predicted as a name, which a caller can
/// turn into the file's own type again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassCells {
    /// None: CSV has no types.
    #[default]
    Untyped,
    /// Text, also where it looks like a number.
    Text,
    /// Numbers.
    Number,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_untyped(cells: &ClassCells) -> bool {
    *cells == ClassCells::Untyped
}

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
        /// Their type in the file.
        #[serde(default, skip_serializing_if = "is_untyped")]
        cells: ClassCells,
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

    /// The type that the classes have in the training file.
    pub fn class_cells(&self) -> ClassCells {
        match self {
            Self::Classes { cells, .. } => *cells,
            _ => ClassCells::Untyped,
        }
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
