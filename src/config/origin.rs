//! Where a config was read, so that a message can point to a key.

use crate::error::Error;
use crate::registry::KeyError;

/// Where a config comes from, for messages. It does not count in comparisons: two configs with the same values are equal.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub(super) name: String,
    pub(super) text: String,
    /// The keys that were set on the command line.
    pub(super) set: Vec<String>,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Origin {
    /// The error, with the file and line of its key.
    pub(super) fn locate(&self, KeyError { path, problem }: KeyError) -> Error {
        let Self { name, text, .. } = self;
        let place = match self.set_by(&path) {
            Some(key) => format!("--set {key}"),
            None => match super::locate::line_of(text, &path) {
                Some(line) => format!("{name}, line {line}"),
                None => name.clone(),
            },
        };
        Error::Config(format!("{place}: `{path}` {}", lead_in(&problem)))
    }

    /// The origin of a key's value.
    pub(super) fn place_of(&self, path: &str) -> String {
        if self.set_by(path).is_some() {
            return "--set".to_owned();
        }
        super::locate::exact_line_of(&self.text, path)
            .map_or("default".to_owned(), |line| format!("line {line}"))
    }

    /// The `--set` key that set this one, or a table that contains it.
    fn set_by(&self, path: &str) -> Option<&String> {
        self.set.iter().find(|key| path == **key || path.starts_with(&format!("{key}.")))
    }
}

/// Joins a problem to its key: "`key` is 3" reads as one sentence, "`key` – unknown key" needs the dash.
fn lead_in(problem: &str) -> String {
    let reads_on = [
        "is ",
        "are ",
        "drops ",
        "leaves ",
        "compares ",
        "has ",
        "cannot ",
        "must ",
        "needs ",
        "lies ",
        "watches ",
    ];
    if reads_on.iter().any(|word| problem.starts_with(word)) {
        problem.to_owned()
    } else {
        format!("– {problem}")
    }
}
