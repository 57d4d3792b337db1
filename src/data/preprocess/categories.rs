//! The names of a category, and the index of a name among them.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::cell_error::CellError;
use super::name_rule::NameRule;
use crate::data::table::read::quoted;
use crate::data::table::value::Value;

/// The names of the training rows, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Categories {
    names: Vec<String>,
    missing: MissingName,
    rule: NameRule,
    indices: FxHashMap<String, usize>,
}

/// The treatment of a missing name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingName {
    /// An error.
    #[default]
    Error,
    /// A name that training has not seen.
    Unknown,
    /// A category of its own, after the others.
    Own,
    /// This one.
    As(String),
}

/// The result of looking up a cell among the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameLookup {
    /// Its index; `None` if it is unknown.
    pub(super) index: Option<usize>,
    /// Whether it is a name that training did not have.
    pub(super) unseen: bool,
}

impl Categories {
    /// These names, with this treatment of missing cells.
    pub fn new(names: Vec<String>, missing: MissingName) -> Self {
        let indices = names.iter().cloned().zip(0..).collect();
        Self { names, missing, rule: NameRule::default(), indices }
    }

    /// The same, with cells named by this rule.
    pub(super) fn with_rule(self, rule: NameRule) -> Self {
        Self { rule, ..self }
    }

    /// The names, without one for a missing cell.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The treatment of missing cells.
    pub fn missing(&self) -> &MissingName {
        &self.missing
    }

    /// The number of categories, including that of missing cells.
    pub fn len(&self) -> usize {
        self.names.len() + usize::from(self.missing == MissingName::Own)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The result of looking up a cell among the names.
    pub(super) fn find(&self, cell: Value<'_>) -> Result<NameLookup, CellError> {
        if cell == Value::Missing {
            let index = match &self.missing {
                MissingName::Error => return Err(CellError::Missing),
                MissingName::Unknown => None,
                MissingName::Own => Some(self.names.len()),
                MissingName::As(name) => self.indices.get(name).copied(),
            };
            return Ok(NameLookup { index, unseen: false });
        }
        let known = cell.text().and_then(|text| self.indices.get(text).copied());
        let other = || self.indices.get(&self.rule.of(cell)?).copied();
        let index = if known.is_none() && (cell.text().is_none() || self.rule != NameRule::Text) {
            other()
        } else {
            known
        };
        Ok(NameLookup { index, unseen: index.is_none() })
    }

    /// The treatment of missing names as text for people; empty if they are an error.
    pub(super) fn filled(&self) -> String {
        match &self.missing {
            MissingName::Error => String::new(),
            MissingName::Unknown => ", where missing unknown".to_owned(),
            MissingName::Own => ", where missing a category of its own".to_owned(),
            MissingName::As(name) => format!(", where missing {}", quoted(name)),
        }
    }

    /// The names of the features of a column that is one-hot encoded.
    pub(super) fn feature_names(&self, column: &str) -> Vec<String> {
        let own = (self.missing == MissingName::Own).then(|| format!("{column} missing"));
        self.names.iter().map(|name| format!("{column}={name}")).chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_finds_names_by_the_rule_that_made_them() {
        let names = Categories::new(vec!["1".to_owned()], MissingName::Unknown);
        let first = names.clone().with_rule(NameRule::Number);
        let find = |names: &Categories, cell: Value<'_>| names.find(cell).unwrap().index;
        for cell in [Value::Text("1"), Value::Integer(1)] {
            assert_eq!((find(&names, cell), find(&first, cell)), (Some(0), Some(0)));
        }
        for cell in [Value::Text("1.0"), Value::Number(1.0)] {
            assert_eq!((find(&names, cell), find(&first, cell)), (None, Some(0)));
        }
    }
}
