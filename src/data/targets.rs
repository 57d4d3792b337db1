//! What a run knows of its targets besides their numbers.

use crate::registry::KeyError;

/// The names of a run's classes or targets, and which of two classes is the positive one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetInfo {
    /// The names of the classes, in the order of their numbers; empty where targets are values, or several labels.
    pub classes: Vec<String>,
    /// The number of the positive one of two classes.
    pub positive: usize,
    /// The names of the target columns, where they have some.
    pub targets: Vec<String>,
}

impl Default for TargetInfo {
    fn default() -> Self {
        Self { classes: Vec::new(), positive: 1, targets: Vec::new() }
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
        if classes.len() != 2 {
            let problem = match classes.len() {
                0 => "it is for two classes, and the targets are no classes; leave it out".to_owned(),
                count => format!("it is for two classes, and there are {count}; leave it out"),
            };
            return Err(wrong(&problem));
        }
        match self.classes.iter().position(|class| class == name) {
            Some(positive) => Ok(Self { positive, ..self }),
            None => Err(wrong(&format!("the classes are {}", classes.join(" and ")))),
        }
    }

    /// The name of the positive one of two classes; nothing where there are not two.
    pub fn positive(&self) -> Option<&str> {
        if self.classes.len() == 2 { self.classes.get(self.positive).map(String::as_str) } else { None }
    }
}
