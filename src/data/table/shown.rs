//! Cells in messages.

use super::value::Value;

/// The most cells that a message shows.
const MOST_SHOWN: usize = 5;

/// A cell to show in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownCell {
    pub(super) line: u64,
    pub(super) text: String,
}

/// The cells that are not numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct NoNumbers {
    first: Vec<ShownCell>,
    pub(super) count: u64,
}

impl NoNumbers {
    pub(super) fn add(&mut self, cell: impl FnOnce() -> ShownCell) {
        if self.first.len() < MOST_SHOWN {
            self.first.push(cell());
        }
        self.count += 1;
    }

    /// Whether there are as many as a message shows.
    pub(super) fn is_full(&self) -> bool {
        self.first.len() == MOST_SHOWN
    }

    pub(super) fn first(&self) -> Option<&ShownCell> {
        self.first.first()
    }

    /// "2 of its values are not numbers: `a` in line 3, `b` in line 4"
    pub(super) fn shown(&self) -> String {
        let cells: Vec<String> =
            self.first.iter().map(|cell| format!("{} in line {}", cell.text, cell.line)).collect();
        let more = if self.count > cells.len() as u64 { ", …" } else { "" };
        let verb = if self.count == 1 { "is not a number" } else { "are not numbers" };
        format!("{} of its values {verb}: {}{more}", self.count, cells.join(", "))
    }
}

/// A cell as text for a message: shortened, and safe on a terminal.
pub(super) fn shown(value: Value<'_>) -> String {
    const MOST: usize = 40;
    if value == Value::Nested {
        return "a list or an object".to_owned();
    }
    let text: String = match value.text() {
        Some(text) => text.chars().take(MOST + 1).collect(),
        None => value.name().unwrap_or_default(),
    };
    let cut: String = text.chars().take(MOST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", cut.escape_debug())
}

/// The problem with a column of lists, objects or bytes.
pub(super) fn nested(line: u64) -> String {
    format!(
        "line {line} has a list, an object or bytes; give each part a column of its own, or set the column to \"ignore\" \
         in `[data.columns]`"
    )
}
