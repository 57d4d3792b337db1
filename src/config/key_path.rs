//! The dotted path of a key on the command line: `train.epochs`, `data.columns."sepal.length"`.

use toml::{Table, Value};

/// Splits `KEY=VALUE` at the first `=` that is not in quotes.
pub(super) fn split(argument: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let is_end = |c: char| match quote {
        None if matches!(c, '"' | '\'') => {
            quote = Some(c);
            false
        }
        Some(own) => {
            quote = quote.filter(|_| c != own);
            false
        }
        None => c == '=',
    };
    let end = argument.find(is_end)?;
    Some((&argument[..end], &argument[end + 1..]))
}

/// The parts of a key, of which those with a dot are in quotes, as in TOML.
///
/// # Errors
/// What is wrong with the key.
pub(super) fn parts(key: &str) -> Result<Vec<String>, &'static str> {
    if key.contains(['"', '\'']) {
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
        ] {
            assert_eq!(parts(key).unwrap(), expected, "{key}");
        }
        for key in ["a..b", "", "a.", "a.\"b", "a\"b", "\"a\" = 1\n\"b\"", "a.\"b\".", "[\"a\"]\nb"] {
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
    }
}
