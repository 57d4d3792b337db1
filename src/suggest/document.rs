//! A TOML text with comments.

use std::fmt::Write as _;

use toml::Value;

use crate::names::{printable, toml_key};

/// The column that comments behind a value begin in.
const COMMENT: usize = 36;
/// The longest line of a comment.
const WIDTH: usize = 110;

/// A TOML text that is being written.
#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
    keys: Vec<String>,
}

impl Document {
    /// Adds a comment on lines of its own.
    pub(super) fn note(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in printable(text).split(' ') {
            if line.len() + 1 + word.len() > WIDTH && line.len() > 1 {
                self.line(&line);
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(&line);
    }

    /// Adds a line of comment as it is.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.line(format!("#   {}", printable(text)).trim_end());
    }

    /// Adds an empty line.
    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// Begins a section.
    pub(super) fn section(&mut self, name: &str) {
        self.line("");
        self.line(&format!("[{name}]"));
    }

    /// Sets a key, with the reason where there is one.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>, why: &str) {
        self.keys.push(key.to_owned());
        let own = format!("{} = {}", toml_key(key), value.into());
        if why.is_empty() {
            return self.line(&own);
        }
        self.line(&format!("{own:<width$}# {}", printable(why), width = COMMENT.max(own.len() + 2)));
    }

    /// Whether a key is set, in any section.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|own| own == key)
    }

    /// Adds another document.
    pub(super) fn append(&mut self, other: Self) {
        self.text += &other.text;
        self.keys.extend(other.keys);
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }
}

/// A table for a value in one line.
pub(super) fn table<'a>(values: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_key_and_a_value() {
        let mut document = Document::default();
        document.note("a note");
        document.section("data");
        document.set("a b\n\"c\"", "x\ty \"z\"", "why");
        document.set("plain-1", 0.15, "a \"quoted\"\nreason");
        document.verbatim("it's a \"name\"\r\n[model]");
        let text = document.finish();
        assert!(text.contains("# a \"quoted\"\\nreason\n"), "{text}");
        assert!(text.contains("#   it's a \"name\"\\r\\n[model]\n"), "{text}");
        let table: toml::Table = text.parse().unwrap();
        let data = table["data"].as_table().unwrap();
        assert_eq!(data["a b\n\"c\""].as_str(), Some("x\ty \"z\""));
        assert_eq!(data["plain-1"].as_float(), Some(0.15));
    }
}
