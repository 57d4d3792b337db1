//! Errors of lines.

use std::path::Path;

use crate::data::table::read::records::at_line;
use crate::error::Error;

/// The error of a line that is no object.
pub(super) fn no_object(path: &Path, line: u64, error: &serde_json::Error) -> Error {
    let early = if error.is_eof() { ", and this one ends early" } else { "" };
    at_line(path, line, format!("{}; each line is a JSON object{early}", without_place(error)))
}

/// The text of an error without the place, which is of the text that the parser saw.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if text.ends_with(&place) {
        text.truncate(text.len() - place.len());
    }
    text
}
