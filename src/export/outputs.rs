//! What an exported model gives.

use crate::run::Columns;

/// The predicted class, (N), or a word for each of several labels, (N, K).
pub(super) const LABEL: &str = "label";
/// The probability of each class, (N, C), or of each label.
pub(super) const PROBABILITIES: &str = "probabilities";
/// The predicted values (N, K) in the targets' units.
pub(super) const PREDICTION: &str = "prediction";
/// Their standard deviations (N, K).
pub(super) const STD: &str = "std";

/// Every name that an output may have.
pub(super) const NAMES: [&str; 4] = [LABEL, PROBABILITIES, PREDICTION, STD];

/// The whole numbers that all of these names are, if they are some.
pub(super) fn integers(names: &[String]) -> Option<Vec<i64>> {
    let number = |name: &String| name.parse().ok().filter(|number: &i64| number.to_string() == *name);
    names.iter().map(number).collect()
}

/// The names of the classes, the words of labels, or the names of the values.
pub(super) fn names(columns: &Columns) -> Vec<String> {
    match columns {
        Columns::Classes { names, .. } => names.clone(),
        Columns::Labels { words, .. } => words.iter().flatten().cloned().collect(),
        Columns::Values { columns, .. } => columns.clone(),
    }
}
