//! The origin of a config, so that a message can point to a key.

use crate::error::Error;
use crate::names::first_few;
use crate::registry::KeyError;

/// The origin of a value that is neither in the file nor set.
const DEFAULT: &str = "default";

/// The origin of a config, for messages. It does not count in comparisons: two configs with the same values are equal.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The config's name in messages: that of its file.
    pub(super) name: String,
    /// The name of its run, where that is not the file's.
    pub(super) run: Option<String>,
    pub(super) text: String,
    /// The keys that were set on the command line.
    pub(super) set: Vec<String>,
    /// The key that an argument of its own has set, and that argument.
    flag: Option<(&'static str, &'static str)>,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Origin {
    /// A file of this name and text, with no keys set.
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() }
    }

    /// The same with a key that the argument `flag` has set.
    pub(crate) fn with_flag(&self, key: &'static str, flag: &'static str) -> Self {
        Self { flag: Some((key, flag)), ..self.clone() }
    }

    /// The error, with the file and line of its key.
    pub(crate) fn locate(&self, error: KeyError) -> Error {
        if let Some((_, flag)) = self.flag.filter(|(key, _)| *key == error.path) {
            return Error::Config(format!("{flag}: {}", Error::Key(error)));
        }
        let place = match self.set_by(&error.path) {
            Some(key) => format!("--set {key}"),
            None => self.line_of(&error.path),
        };
        // A key that neither has may be wanted since another was set.
        let is_absent = self.place_of(&error.path) == DEFAULT && !self.set.is_empty();
        let set = self.set.iter().map(|key| key.escape_debug().to_string());
        let with = if is_absent { format!(", with --set {}", first_few(set)) } else { String::new() };
        Error::Config(format!("{place}{with}: {}", Error::Key(error)))
    }

    /// The error of a key that is right in the file by itself, and wrong since this argument of `--set`.
    pub(super) fn locate_with(&self, error: KeyError, argument: &str) -> Error {
        let place = match super::locate::exact_line_of(&self.text, &error.path) {
            Some(line) => format!("{}, line {line}", self.name),
            None => self.name.clone(),
        };
        Error::Config(format!("--set {}, with {place}: {}", argument.escape_debug(), Error::Key(error)))
    }

    /// The file, and the line of a key where it has one.
    fn line_of(&self, path: &str) -> String {
        match super::locate::line_of(&self.text, path) {
            Some(line) => format!("{}, line {line}", self.name),
            None => self.name.clone(),
        }
    }

    /// The origin of a key's value.
    pub(super) fn place_of(&self, path: &str) -> String {
        if self.set_by(path).is_some() {
            return "--set".to_owned();
        }
        super::locate::exact_line_of(&self.text, path)
            .map_or(DEFAULT.to_owned(), |line| format!("line {line}"))
    }

    /// The `--set` key that set this one, or a table that contains it.
    pub(super) fn set_by(&self, path: &str) -> Option<&String> {
        let within = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.set.iter().find(|key| path.strip_prefix(key.as_str()).is_some_and(within))
    }
}
