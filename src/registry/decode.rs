//! Reads config structs from TOML; what does not fit is an error that says what to write.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

use super::key_error::{KeyError, list, unknown_key};
use super::mismatch::{Mismatch, packed};
use super::nearest::did_you_mean;
use super::strict::Strict;

/// The most characters of a value that a message repeats.
const SHOWN: usize = 60;

/// Deserialises a config struct from its table.
pub fn decode<T: DeserializeOwned>(table: Table) -> Result<T, KeyError> {
    decode_value(Value::Table(table))
}

/// Deserialises a value of the config. A list does not stand in for a table.
pub fn decode_value<T: DeserializeOwned>(value: Value) -> Result<T, KeyError> {
    let written = value.clone();
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| explain_at(error, &written))
}

/// Apart from [`decode_value`], so that it is compiled once instead of once a type.
fn explain_at(error: serde_path_to_error::Error<Mismatch>, written: &Value) -> KeyError {
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let got = at(written, error.path());
    explain(path, got, error.into_inner())
}

/// Passes an error through serde, which has messages only; [`decode`] restores it.
pub fn inside<E: serde::de::Error>(error: &KeyError) -> E {
    E::custom(packed(error))
}

/// The value at a path.
fn at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Map { key } => value.get(key),
        Segment::Seq { index } => value.get(index),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    })
}

fn explain(path: String, got: Option<&Value>, mismatch: Mismatch) -> KeyError {
    let is_off = matches!(got, Some(Value::Boolean(false)));
    let problem = match mismatch {
        Mismatch::Inside(error) => {
            return if path.is_empty() { error } else { error.under(&path) };
        }
        Mismatch::UnknownKey(known) => {
            let (table, key) = path.rsplit_once('.').unwrap_or(("", &path));
            let error = unknown_key(key, known);
            return if table.is_empty() { error } else { error.under(table) };
        }
        Mismatch::UnknownName(known) => {
            let name = got.and_then(Value::as_str).unwrap_or_default();
            let hint = did_you_mean(name, known);
            format!("has the unknown value `{}`;{hint} known are {}", name.escape_debug(), list(known))
        }
        Mismatch::NoName(known) => format!("{} expected one of {}, in quotes", is(got), list(known)),
        Mismatch::NoTable(keys) if is_off => format!(
            "{} expected a table with {}; an optional one is left out to switch it off, or removed by `--set KEY=null`",
            is(got),
            list(keys)
        ),
        Mismatch::NoTable(keys) => format!("{} expected a table with {}", is(got), list(keys)),
        Mismatch::Missing(key) => format!("has no `{key}`, which must be given"),
        Mismatch::Type(expected) => wrong_type(got, &expected),
        Mismatch::Other(problem) => match got.and_then(number_in) {
            Some(number) => format!("{problem}; did you mean {number}?"),
            None => problem,
        },
    };
    KeyError::new(path, problem)
}

/// "is 3;"
fn is(got: Option<&Value>) -> String {
    got.map_or_else(|| "does not fit;".to_owned(), |value| format!("is {};", shown(value)))
}

/// A value as TOML has it, cut where it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string().replace('\n', " ");
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

/// The problem of a value whose type is not the one that serde expects.
fn wrong_type(got: Option<&Value>, expected: &str) -> String {
    let is = is(got);
    let whole = ["usize", "u8", "u16", "u32", "u64"].contains(&expected);
    match expected {
        "f64" | "f32" => match got.and_then(number_in) {
            Some(number) => format!("{is} write {number}"),
            None => format!("{is} expected a number"),
        },
        _ if whole => match got.and_then(whole_in) {
            Some(number) => format!("{is} write {number}"),
            None => format!("{is} expected a whole number, 0 or more"),
        },
        "a boolean" => match got.and_then(truth_in) {
            Some(truth) => format!("{is} write {truth}"),
            None => format!("{is} expected true or false"),
        },
        "a string" | "path string" => match got {
            Some(Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => {
                format!(
                    "{is} expected text in quotes{}",
                    got.map_or(String::new(), |own| format!(", as in \"{own}\""))
                )
            }
            _ => format!("{is} expected text in quotes"),
        },
        "a sequence" => format!("{is} expected a list{}", got.map_or(String::new(), as_list)),
        "a map" => format!("{is} expected a table, as in {{ key = value }}"),
        // "an array of length 2", "2 elements in sequence"
        other => match other.split(' ').find_map(|word| word.parse::<usize>().ok()) {
            Some(count) => format!("{is} expected a list of {count} values"),
            None => format!("{is} expected {other}"),
        },
    }
}

/// ", as in [64]"
fn as_list(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with('[') => format!(", without the quotes: {text}"),
        Value::String(text) if !text.is_empty() && text.split(',').all(|part| number(part).is_some()) => {
            let parts: Vec<String> = text.split(',').filter_map(number).collect();
            format!(", as in [{}]", parts.join(", "))
        }
        Value::Table(_) => String::new(),
        other => format!(", as in [{}]", shown(other)),
    }
}

/// The number that a text holds, as TOML writes it.
fn number_in(value: &Value) -> Option<String> {
    number(value.as_str()?)
}

fn number(text: &str) -> Option<String> {
    let text = text.trim();
    // A decimal comma.
    let text = if text.matches(',').count() == 1 { text.replace(',', ".") } else { text.to_owned() };
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.to_string());
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(Value::Float(number).to_string())
}

/// The whole number that a text or a decimal number holds.
fn whole_in(value: &Value) -> Option<String> {
    let number: f64 = match value {
        Value::Float(number) => *number,
        other => number_in(other)?.parse().ok()?,
    };
    (number >= 0.0 && number.fract() == 0.0 && number < 1e15).then(|| format!("{number:.0}"))
}

/// The truth value that is meant.
fn truth_in(value: &Value) -> Option<bool> {
    let word = match value {
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    };
    match word.as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code, reason = "only the errors are looked at")]
    struct TestOptions {
        rate: f64,
        rows: usize,
        sizes: Vec<usize>,
        pair: Option<[f64; 2]>,
        quick: bool,
        label: String,
        stop: Option<TestTable>,
        kinds: BTreeMap<String, f64>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code, reason = "only the errors are looked at")]
    struct TestTable {
        patience: u64,
        delta: f64,
    }

    fn problem(text: &str) -> String {
        let error = decode::<TestOptions>(text.parse().unwrap()).unwrap_err();
        format!("{} {}", error.path, error.problem)
    }

    #[test]
    fn a_value_of_another_type_is_told_what_to_write() {
        for (text, expected) in [
            ("rate = '.1'", "rate is \".1\"; write 0.1"),
            ("rate = '1.'", "rate is \"1.\"; write 1.0"),
            ("rate = '0,5'", "rate is \"0,5\"; write 0.5"),
            ("rate = 'fast'", "rate is \"fast\"; expected a number"),
            ("rate = true", "rate is true; expected a number"),
            ("rows = '64'", "rows is \"64\"; write 64"),
            ("rows = 64.0", "rows is 64.0; write 64"),
            ("rows = 1e3", "rows is 1000.0; write 1000"),
            ("rows = 1.5", "rows is 1.5; expected a whole number, 0 or more"),
            ("rows = -1", "rows is -1; expected a whole number, 0 or more"),
            ("sizes = 64", "sizes is 64; expected a list, as in [64]"),
            ("sizes = '64, 32'", "sizes is \"64, 32\"; expected a list, as in [64, 32]"),
            ("sizes = '[64]'", "sizes is \"[64]\"; expected a list, without the quotes: [64]"),
            ("sizes = [64, '32']", "sizes[1] is \"32\"; write 32"),
            ("pair = [0.5]", "pair is [0.5]; expected a list of 2 values"),
            ("pair = [0.5, 0.5, 0.5]", "pair is [0.5, 0.5, 0.5]; expected a list of 2 values"),
            ("quick = 'True'", "quick is \"True\"; write true"),
            ("quick = 0", "quick is 0; write false"),
            ("label = 3", "label is 3; expected text in quotes, as in \"3\""),
            ("kinds = [1.0]", "kinds is [1.0]; expected a table, as in { key = value }"),
        ] {
            assert_eq!(problem(text), expected);
        }
    }

    #[test]
    fn a_list_does_not_stand_in_for_a_table() {
        for stop in ["[3, 0.0]", "[]", "3", "'3'"] {
            let problem = problem(&format!("stop = {stop}"));
            assert!(problem.ends_with("expected a table with `patience`, `delta`"), "{problem}");
        }
    }
}
