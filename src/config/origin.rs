//! Where a config was read, so that a message can say where a key stands.

use crate::error::Error;
use crate::registry::KeyError;

/// Where a config comes from, for messages. Two configs that say the same are equal wherever they come from.
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
    /// The error with the place of its key.
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

    /// Where the value of a key comes from.
    pub(super) fn place_of(&self, path: &str) -> String {
        if self.set_by(path).is_some() {
            return "--set".to_owned();
        }
        super::locate::exact_line_of(&self.text, path)
            .map_or("default".to_owned(), |line| format!("line {line}"))
    }

    /// The key of the command line that gives this one, or a table that it is in.
    fn set_by(&self, path: &str) -> Option<&String> {
        self.set.iter().find(|key| path == **key || path.starts_with(&format!("{key}.")))
    }
}

/// "`key` is 3" reads on from the key, "`key`: unknown key" does not.
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
