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

/// The line of each part of a dotted path that the text has. A part may have dots of its own.
fn lines_along(text: &str, path: &str) -> Vec<Option<usize>> {
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let mut table = Some(document.get_ref());
    let (mut lines, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        let behind = |name: &str| {
            let behind = rest.strip_prefix(name)?;
            (behind.is_empty() || behind.starts_with(['.', '['])).then_some(behind)
        };
        let entries = table.into_iter().flat_map(|table| table.iter());
        let named = entries.filter_map(|(name, value)| Some((name, value, behind(name.get_ref())?)));
        let found = named.min_by_key(|(.., behind)| behind.len());
        let Some((name, value, behind)) = found else {
            lines.push(None);
            break;
        };
        lines.push(Some(line_at(text, name.span().start)));
        rest = behind.trim_start_matches(|c| c != '.').trim_start_matches('.');
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            // A name can stand for the table that has it as its `name`.
            DeValue::String(_) if rest == "name" => {
                lines.push(lines.last().copied().flatten());
                break;
            }
            _ => None,
        };
    }
    lines
}
