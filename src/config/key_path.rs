//! The dotted path of a key on the command line: `train.epochs`, `data.columns."sepal.length"`.

use toml::{Table, Value};

/// Splits `KEY=VALUE` at the first `=` that is not in quotes.
pub(crate) fn split(argument: &str) -> Option<(&str, &str)> {
    let end = unquoted(argument).find(|end| argument[*end..].starts_with('='))?;
    Some((&argument[..end], &argument[end + 1..]))
}

/// The places of the characters that are not in quotes. Quotes are round a whole part: in `it's` there are none.
fn unquoted(text: &str) -> impl Iterator<Item = usize> {
    let (mut quote, mut is_first, mut is_escaped) = (None, true, false);
    text.char_indices().filter_map(move |(at, c)| {
        if let Some(own) = quote {
            let ends = c == own && !is_escaped;
            is_escaped = own == '"' && c == '\\' && !is_escaped;
            quote = quote.filter(|_| !ends);
            return None;
        }
        if is_first && matches!(c, '"' | '\'') {
            quote = Some(c);
            return None;
        }
        is_first = c == '.' || (is_first && c.is_whitespace());
        Some(at)
    })
}

/// The parts of a key, of which those with a dot are in quotes, as in TOML.
///
/// # Errors
/// What is wrong with the key.
pub(super) fn parts(key: &str) -> Result<Vec<String>, &'static str> {
    if unquoted(key).count() < key.chars().count() {
        return quoted_parts(key).ok_or(
            "the quotes in the key are not TOML's; write a part that has a dot as in data.columns.\"sepal.length\"",
        );
    }
    let parts: Vec<String> = key.split('.').map(str::to_owned).collect();
    if parts.iter().any(String::is_empty) {
        return Err("the key has an empty part; write a dotted path such as optimizer.lr");
    }
    Ok(parts)
}

/// The parts of a key, by TOML's own parser. In an inline table it can begin no section.
fn quoted_parts(key: &str) -> Option<Vec<String>> {
    let mut table: Table = format!("key = {{ {key} = 0 }}").parse().ok()?;
    let mut parts = Vec::new();
    loop {
        let mut entries = std::mem::take(&mut table).into_iter();
        // Two keys: a line break was in it.
        let (Some((part, value)), None) = (entries.next(), entries.next()) else { return None };
        parts.push(part);
        match value {
            Value::Table(inner) => table = inner,
            Value::Integer(0) => return Some(parts.split_off(1)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_parts_between_its_dots_but_those_in_quotes() {
        for (key, expected) in [
            ("train.epochs", &["train", "epochs"][..]),
            ("data.columns.\"sepal.length\"", &["data", "columns", "sepal.length"]),
            ("data.na_values.'a b.c'", &["data", "na_values", "a b.c"]),
            ("data.columns.größe", &["data", "columns", "größe"]),
            (r#"data.columns."a\"b""#, &["data", "columns", "a\"b"]),
            ("data.columns.it's", &["data", "columns", "it's"]),
            ("data.columns.5\"", &["data", "columns", "5\""]),
        ] {
            assert_eq!(parts(key).unwrap(), expected, "{key}");
        }
        for key in ["a..b", "", "a.", "a.\"b", "\"a\" = 1\n\"b\"", "a.\"b\"."] {
            assert!(parts(key).is_err(), "{key}");
        }
    }

    #[test]
    fn an_argument_is_split_at_the_first_sign_that_is_not_in_quotes() {
        assert_eq!(split("a.b=1=2"), Some(("a.b", "1=2")));
        assert_eq!(split("a.\"b=c\"=\"d=e\""), Some(("a.\"b=c\"", "\"d=e\"")));
        assert_eq!(split("a.'b=\"'='x'"), Some(("a.'b=\"'", "'x'")));
        assert_eq!(split("a"), None);
        assert_eq!(split("\"a=b"), None);
        assert_eq!(split("a.it's=b"), Some(("a.it's", "b")));
        assert_eq!(split(r#"a."b\"=c"=d"#), Some((r#"a."b\"=c""#, "d")));
    }
}
