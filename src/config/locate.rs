//! Finds the line of a key in a TOML text.

use toml::de::{DeTable, DeValue};

/// The line of a byte offset in `text`, counted from 1.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}

/// The line of a dotted path such as `optimizer.betas[1]`, or of the deepest part of it that the text has; `None` if the
/// text has no part of it.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    lines_along(text, path).into_iter().flatten().last()
}

/// The line of a dotted path, if the text has the whole path.
pub(super) fn exact_line_of(text: &str, path: &str) -> Option<usize> {
    lines_along(text, path).pop().flatten()
}

/// The line of each part of a dotted path that the text has.
fn lines_along(text: &str, path: &str) -> Vec<Option<usize>> {
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let mut table = Some(document.get_ref());
    let mut lines = Vec::new();
    for part in path.split('.') {
        let key = part.split('[').next().unwrap_or(part);
        let found = table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        lines.push(found.map(|(name, _)| line_at(text, name.span().start)));
        table = found.and_then(|(_, value)| match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        });
        // A name can stand for the table that has it as its `name`.
        let is_name = found.is_some_and(|(_, value)| matches!(value.get_ref(), DeValue::String(_)));
        if is_name && path.strip_suffix(".name").is_some_and(|own| own.ends_with(part)) {
            lines.push(lines.last().copied().flatten());
            break;
        }
    }
    lines
}
