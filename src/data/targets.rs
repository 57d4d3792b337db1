//! Properties of a run's targets besides their values.

use serde::{Deserialize, Serialize};

use super::Threshold;
use crate::registry::KeyError;

/// The names of a run's classes or targets, and which of two classes is the positive one.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetInfo {
    /// The names of the classes, in the order of their numbers; empty where targets are values, or several labels.
    pub classes: Vec<String>,
    /// The number of the positive one of two classes.
    pub positive: usize,
    /// The probability from which a row is predicted as the positive one of two classes; `None`: the more probable class is.
    pub threshold: Option<f64>,
    /// The names of the target columns, where they have some.
    pub targets: Vec<String>,
    /// Of a series the rows after the window for which each target is predicted; outputs are in the order of the steps,
    /// within a step in that of the targets. Empty where each target is one output.
    pub steps: Vec<usize>,
}

impl Default for TargetInfo {
    fn default() -> Self {
        Self { classes: Vec::new(), positive: 1, threshold: None, targets: Vec::new(), steps: Vec::new() }
    }
}

impl TargetInfo {
    /// With `data.positive`.
    ///
    /// # Errors
    /// A name that is none of two classes.
    pub(super) fn with_positive(self, name: &str) -> Result<Self, KeyError> {
        let wrong =
            |problem: &str| KeyError::new("positive", format!("is `{}`; {problem}", name.escape_debug()));
        let classes: Vec<String> =
            self.classes.iter().map(|class| format!("`{}`", class.escape_debug())).collect();
        if let Some(problem) = self.not_two_classes() {
            return Err(wrong(&format!("it {problem}")));
        }
        match self.classes.iter().position(|class| class == name) {
            Some(positive) => Ok(Self { positive, ..self }),
            None => Err(wrong(&format!("the classes are {}", classes.join(" and ")))),
        }
    }

    /// With a threshold of two classes.
    ///
    /// # Errors
    /// There are not two classes.
    pub fn with_threshold(self, threshold: Threshold) -> Result<Self, KeyError> {
        if let Some(problem) = self.not_two_classes() {
            return Err(KeyError::new("threshold", problem));
        }
        Ok(Self { threshold: threshold.number(), ..self })
    }

    /// The problem with an option that is for two classes; `None` if there are two.
    fn not_two_classes(&self) -> Option<String> {
        match self.classes.len() {
            2 => None,
            0 => Some("is for two classes, and the targets are no classes; leave it out".to_owned()),
            count => Some(format!("is for two classes, and there are {count}; leave it out")),
        }
    }

    /// The decision between two classes, if there is a threshold.
    pub fn decision(&self) -> Option<Decision> {
        self.threshold.map(|threshold| Decision { positive: self.positive, threshold })
    }

    /// The name of the positive one of two classes; `None` for any other number of classes.
    pub fn positive(&self) -> Option<&str> {
        if self.classes.len() == 2 { self.classes.get(self.positive).map(String::as_str) } else { None }
    }
}

/// The rule that predicts one of two classes from its probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The number of the positive class.
    pub positive: usize,
    /// The probability from which it is predicted.
    pub threshold: f64,
}

impl Decision {
    /// The class that is predicted from these probabilities: the most probable one, where no decision is given.
    pub fn predicted(decision: Option<Self>, probabilities: &[f64]) -> usize {
        match (decision, probabilities) {
            (Some(Self { positive: 0, threshold }), [first, _]) => usize::from(*first < threshold),
            (Some(Self { threshold, .. }), [_, second]) => usize::from(*second >= threshold),
            _ => most_probable(probabilities.iter().copied()),
        }
    }
}

/// The problem with a class that a run of so many classes does not have.
pub(super) fn unknown_class(class: i64, classes: usize) -> String {
    let last = classes.saturating_sub(1);
    format!("the training data has no class {class}: its classes are 0 to {last}")
}

/// The class with the highest probability, of equal ones the first, as argmax.
pub fn most_probable(probabilities: impl IntoIterator<Item = f64>) -> usize {
    let mut classes = probabilities.into_iter().enumerate();
    let first = classes.next().unwrap_or_default();
    classes.fold(first, |best, class| if class.1 > best.1 { class } else { best }).0
}
