//! Values as C99 writes them.

use std::fmt::Write;

/// What the first line of a written file begins with.
pub(super) const MARK: &str = "/* Written by descent export --to c";

/// A number of f32 that reads back as it is.
pub(super) fn float(number: f32) -> String {
    if number.is_finite() { format!("{number:?}f") } else { special(f64::from(number)) }
}

/// A number of f64 that reads back as it is.
pub(super) fn double(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { special(number) }
}

fn special(number: f64) -> String {
    match (number.is_nan(), number > 0.0) {
        (true, _) => "NAN",
        (_, true) => "INFINITY",
        (_, false) => "-INFINITY",
    }
    .to_owned()
}

/// The items of an initializer, some to a line.
pub(super) fn items(items: impl IntoIterator<Item = String>) -> String {
    const WIDTH: usize = 100;
    let (mut text, mut line) = (String::new(), String::new());
    for item in items {
        if !line.is_empty() && line.len() + item.len() > WIDTH {
            let _ = writeln!(text, "    {}", line.trim_end());
            line.clear();
        }
        line += &item;
        line += ", ";
    }
    let _ = write!(text, "    {}", line.trim_end_matches([' ', ',']));
    text
}

/// A text as a literal. `?` is escaped for the trigraphs, and what is no letter of any language by its bytes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '?' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            c if !c.is_ascii() && c.is_alphanumeric() => quoted.push(c),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
        }
    }
    quoted + "\""
}

/// A text in quotes inside a comment, as JSON writes it; `*` is escaped, so that no comment begins or ends in it.
pub(super) fn commented(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut commented = String::new();
    for c in json.chars() {
        match c {
            '*' | '?' => {
                let _ = write!(commented, "\\u{:04x}", u32::from(c));
            }
            c if c.is_ascii_control() || (!c.is_ascii() && !c.is_alphanumeric()) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(commented, "\\u{unit:04x}");
                }
            }
            c => commented.push(c),
        }
    }
    commented
}

/// Prose inside a comment.
pub(super) fn prose(text: &str) -> String {
    let is_plain = |c: char| (' '..='~').contains(&c) || (!c.is_ascii() && c.is_alphanumeric());
    let shown: String = text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    shown.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_they_are() {
        let written = [0.1f32, -1.0, 1e-45, f32::MAX, 16_777_216.0, f32::NAN, f32::NEG_INFINITY].map(float);
        assert_eq!(written, ["0.1f", "-1.0f", "1e-45f", "3.4028235e38f", "16777216.0f", "NAN", "-INFINITY"]);
        for number in [0.1f32, 1e-45, f32::MAX, f32::MIN_POSITIVE, 1.0 / 3.0] {
            assert_eq!(
                float(number).trim_end_matches('f').parse::<f32>().unwrap().to_bits(),
                number.to_bits()
            );
        }
    }

    #[test]
    fn texts_end_neither_a_literal_nor_a_comment() {
        assert_eq!(quoted("say \"é\" ??/\n\u{202e}"), "\"say \\\"é\\\" \\?\\?/\\012\\342\\200\\256\"");
        assert_eq!(commented("*/ /* ??/ é \u{202e}"), "\"\\u002a/ /\\u002a \\u003f\\u003f/ é \\u202e\"");
        assert_eq!(prose("a */ b"), "a * / b");
    }
}
