//! Texts and numbers in YAML 1.2. <https://yaml.org/spec/1.2.2/#double-quoted-style>

use std::fmt::Write;

/// A text as a double-quoted scalar. Breaks of lines and all that a YAML file may not hold are escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // YAML 1.1 breaks lines at U+0085, U+2028 and U+2029; U+FEFF marks the order of bytes.
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A finite number as a float: with a point also where it has an exponent, which YAML 1.1 takes for text otherwise.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_whatever_they_hold() {
        assert_eq!(quoted("a: 'b' #c"), "\"a: 'b' #c\"");
        assert_eq!(quoted("say \"no\"\\"), r#""say \"no\"\\""#);
        assert_eq!(quoted("grün\n\t\u{85}\u{2028}🎈"), "\"grün\\u000a\\u0009\\u0085\\u2028🎈\"");
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn numbers_are_floats_in_yaml_1_1_too() {
        assert_eq!([1.0, 0.25, 1e-7, 2.5e20].map(number), ["1.0", "0.25", "1.0e-7", "2.5e+20"]);
    }
}
