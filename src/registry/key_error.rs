//! An error of a config key.

use super::nearest::nearest;

/// An invalid config key: where it is, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError {
    /// The dotted path of the key, relative to the table that was read: `betas[1]`.
    pub path: String,
    /// The problem and what is allowed, as the rest of a sentence that begins with the key: "is 0; it must be …".
    pub problem: String,
    /// The keys that are allowed, where the key is unknown.
    pub known: Option<Vec<String>>,
}

impl KeyError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into(), known: None }
    }

    /// The error for an unknown key at `path`, with what may have been meant.
    pub fn unknown(path: impl Into<String>, hint: Option<&str>, known: Vec<String>) -> Self {
        let hint = hint.map_or(String::new(), |hint| format!(" {hint}"));
        let allowed = if known.is_empty() { "there are none here".to_owned() } else { list(&known) };
        let problem = format!("is an unknown key;{hint} known are {allowed}");
        Self { known: Some(known), ..Self::new(path, problem) }
    }

    /// The same error, with its path relative to the table that contains this one under `key`.
    #[must_use]
    pub fn under(self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{key}.{}", self.path) };
        Self { path, ..self }
    }
}

/// The error for an unknown `key`.
pub fn unknown_key(key: &str, known: &[&str]) -> KeyError {
    let hint = nearest(key, known).map(|name| format!("did you mean `{name}`?"));
    KeyError::unknown(key, hint.as_deref(), known.iter().map(|name| (*name).to_owned()).collect())
}

/// `a`, `b`, `c`
pub(super) fn list(names: &[impl std::fmt::Display]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
