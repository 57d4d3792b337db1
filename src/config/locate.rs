//! The line of a key in a TOML text.

use toml::de::{DeTable, DeValue};

/// The line of a byte in `text`, from 1.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}

/// The line of a dotted path such as `optimizer.betas[1]`, or of the deepest part of it that the text has. Nothing
/// where the text has no part of it.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = Some(document.get_ref());
    let mut found = None;
    for part in path.split('.') {
        let key = part.split('[').next().unwrap_or(part);
        let Some((name, value)) =
            table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
        else {
            break;
        };
        found = Some(line_at(text, name.span().start));
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
    }
    found
}
