//! Values as Python writes them.

use toml::{Table, Value};

/// A text as a literal: JSON's escapes are Python's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number as a literal.
pub(in crate::export) fn number(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { format!("float(\"{number}\")") }
}

/// A truth value as a literal.
pub(super) fn python(is: bool) -> &'static str {
    if is { "True" } else { "False" }
}

/// A list of literals.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// A list of texts; of whole numbers, where all of them are some.
pub(super) fn names(names: &[String]) -> String {
    match crate::export::outputs::integers(names) {
        Some(numbers) => list(numbers.iter().map(i64::to_string)),
        None => list(names.iter().map(|name| quoted(name))),
    }
}

/// A value of a config.
pub(in crate::export) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(float) => number(*float),
        Value::Boolean(is) => python(*is).to_owned(),
        Value::Array(items) => list(items.iter().map(self::value)),
        Value::Table(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(key, item)| format!("{}: {}", quoted(key), self::value(item))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Datetime(time) => quoted(&time.to_string()),
    }
}

/// A name as in torch's classes: `reduce_on_plateau` is `ReduceOnPlateau`.
pub(super) fn camel(name: &str) -> String {
    let word =
        |word: &str| word.chars().next().map(|first| format!("{}{}", first.to_uppercase(), &word[1..]));
    name.split('_').filter_map(word).collect()
}

/// `, lr=0.001, …`: the options of a section but for these.
pub(super) fn options(section: &Table, without: &[&str]) -> String {
    let kept = section.iter().filter(|(key, _)| !without.contains(&key.as_str()) && *key != "name");
    // Adafactor's None is "none" in TOML.
    let value = |item: &Value| value(item).replace("[\"none\", ", "[None, ");
    kept.fold(String::new(), |all, (key, item)| format!("{all}, {key}={}", value(item)))
}

/// The name of a section.
pub(super) fn name(section: &Table) -> &str {
    section.get("name").and_then(Value::as_str).unwrap_or_default()
}
