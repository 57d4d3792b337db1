//! What preprocessing learnt of a table: kinds, categories, means, class names. A run keeps it as `data.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::quoted;
use super::target::Target;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
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

/// How a column becomes features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// How.
    #[serde(flatten)]
    pub encoding: Encoding,
}

/// The way from a cell to features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Encoding {
    /// `(x - offset) / scale`
    Number(Scaled),
    /// 1 for yes and 0 for no.
    Boolean(Filled),
    /// `(days since 1970 - offset) / scale`
    Date(Scaled),
    /// A 1 in the place of the name.
    Category(Named),
    /// The number of the name, from 1; 0 is unknown.
    Embedding {
        /// The names.
        #[serde(flatten)]
        named: Named,
        /// The length of a name's learnt vector.
        dimension: usize,
    },
    /// Not used.
    Ignore {
        /// Why.
        why: String,
    },
}

/// A number's normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaled {
    /// Subtracted.
    pub offset: f64,
    /// Divided by.
    pub scale: f64,
    /// What stands in for a missing cell.
    #[serde(flatten)]
    pub filled: Filled,
}

/// What stands in for a missing cell.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Filled {
    /// This number; left out: a missing cell is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f64>,
    /// Whether a further feature says that the cell is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub indicator: bool,
}

/// The names of a category.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Named {
    /// Those of the training rows, in order.
    pub categories: Vec<String>,
    /// What a missing cell is.
    #[serde(default)]
    pub missing: MissingName,
}

/// What a missing name is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingName {
    /// An error.
    #[default]
    Error,
    /// A name that training has not seen.
    Unknown,
    /// A category of its own, behind the others.
    Own,
    /// This one.
    As(String),
}

/// All that preprocessing learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// What is predicted.
    pub target: Target,
    /// The columns in the order of the training table, the target left aside.
    pub columns: Vec<Column>,
}

impl Encoding {
    /// The numbers of features that are dense, and that stand for a learnt vector.
    pub(super) fn widths(&self) -> (usize, usize) {
        match self {
            Self::Number(Scaled { filled, .. })
            | Self::Date(Scaled { filled, .. })
            | Self::Boolean(filled) => (1 + usize::from(filled.indicator), 0),
            Self::Category(named) => (named.len(), 0),
            Self::Embedding { .. } => (0, 1),
            Self::Ignore { .. } => (0, 0),
        }
    }

    /// For a reader.
    fn describe(&self) -> String {
        let filled = |kind: &str, filled: &Filled| match (filled.fill, filled.indicator) {
            (None, _) => kind.to_owned(),
            (Some(fill), false) => format!("{kind}, where missing {fill:.4}"),
            (Some(fill), true) => format!("{kind}, where missing {fill:.4}, and a column that says so"),
        };
        match self {
            Self::Number(scaled) => filled("number", &scaled.filled),
            Self::Date(scaled) => filled("date", &scaled.filled),
            Self::Boolean(fill) => filled("boolean", fill),
            Self::Category(named) => format!("category of {}: one-hot", named.len()),
            Self::Embedding { named, dimension } => {
                format!("category of {}: learnt vectors of {dimension}", named.len())
            }
            Self::Ignore { why } => format!("ignored: {why}"),
        }
    }
}

/// A number as a person would write it: what rounding to 32 bits and back adds is left out.
fn shortest(number: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "for the eye")]
    let rounded = format!("{:.5}", number as f32);
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Named {
    /// The name of a number.
    fn name(&self, number: Option<usize>) -> String {
        match number {
            None => "unknown".to_owned(),
            Some(number) => self.categories.get(number).cloned().unwrap_or_else(|| "missing".to_owned()),
        }
    }

    /// How many there are, with that for a missing cell.
    pub fn len(&self) -> usize {
        self.categories.len() + usize::from(self.missing == MissingName::Own)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Recipe {
    /// The features of a row: those that are dense, and behind them a number for each learnt vector.
    pub fn widths(&self) -> (usize, usize) {
        let widths = self.columns.iter().map(|column| column.encoding.widths());
        widths.fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1))
    }

    /// How many features a row has.
    pub fn features(&self) -> usize {
        let (dense, learnt) = self.widths();
        dense + learnt
    }

    /// The learnt vectors: for each column the number of names, one for unknown, and the length.
    pub fn embeddings(&self) -> Vec<(usize, usize)> {
        let size = |column: &Column| match &column.encoding {
            Encoding::Embedding { named, dimension } => Some((named.len() + 1, *dimension)),
            _ => None,
        };
        self.columns.iter().filter_map(size).collect()
    }

    /// The names of the features, in their order.
    pub fn feature_names(&self) -> Vec<String> {
        let (mut dense, mut learnt) = (Vec::new(), Vec::new());
        for Column { name, encoding } in &self.columns {
            match encoding {
                Encoding::Category(named) => {
                    dense.extend(named.categories.iter().map(|category| format!("{name}={category}")));
                    dense.extend((named.missing == MissingName::Own).then(|| format!("{name} missing")));
                }
                Encoding::Embedding { .. } => learnt.push(name.clone()),
                Encoding::Ignore { .. } => {}
                Encoding::Number(Scaled { filled, .. })
                | Encoding::Date(Scaled { filled, .. })
                | Encoding::Boolean(filled) => {
                    dense.push(name.clone());
                    dense.extend(filled.indicator.then(|| format!("{name} missing")));
                }
            }
        }
        dense.extend(learnt);
        dense
    }

    /// The cells that some features were made from, by the names of their columns.
    pub fn cells(&self, features: &[f64]) -> Vec<(String, String)> {
        let (mut dense, mut learnt) = (0, self.widths().0);
        let mut cells = Vec::new();
        for Column { name, encoding } in &self.columns {
            let at = |place: usize| features.get(place).copied().unwrap_or(f64::NAN);
            let cell = match encoding {
                Encoding::Ignore { .. } => continue,
                Encoding::Number(scaled) => shortest(at(dense) * scaled.scale + scaled.offset),
                Encoding::Date(scaled) => {
                    let days = at(dense) * scaled.scale + scaled.offset;
                    jiff::Timestamp::from_duration(
                        jiff::SignedDuration::try_from_secs_f64((days * 86_400.0).round())
                            .unwrap_or_default(),
                    )
                    .map_or_else(|_| shortest(days), |instant| instant.to_string())
                }
                Encoding::Boolean(_) => (if at(dense) > 0.5 { "yes" } else { "no" }).to_owned(),
                Encoding::Category(named) => named.name((0..named.len()).find(|name| at(dense + name) > 0.5)),
                Encoding::Embedding { named, .. } => {
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a name's number"
                    )]
                    let number = at(learnt) as usize;
                    named.name(number.checked_sub(1))
                }
            };
            let (own, own_learnt) = encoding.widths();
            dense += own;
            learnt += own_learnt;
            cells.push((name.clone(), cell));
        }
        cells
    }

    /// Columns and kinds, a line each.
    pub fn describe(&self) -> Vec<(String, String)> {
        let target = match &self.target {
            Target::Classes { classes, .. } => {
                const SHOWN: usize = 10;
                let mut names: Vec<String> = classes.iter().take(SHOWN).map(|name| quoted(name)).collect();
                if classes.len() > SHOWN {
                    names.push("…".to_owned());
                }
                format!("target of {} classes: {}", classes.len(), names.join(", "))
            }
            Target::Values { .. } => "target, a number".to_owned(),
            Target::Probabilities { .. } => "target, a probability".to_owned(),
            Target::Labels { .. } => "target, yes or no".to_owned(),
        };
        let targets = self.target.names().iter().map(|name| (quoted(name), target.clone()));
        let columns = self.columns.iter().map(|column| (quoted(&column.name), column.encoding.describe()));
        targets.chain(columns).collect()
    }
}
