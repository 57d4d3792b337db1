//! The keys in which configs differ.

use toml::{Table, Value};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::registry::notation;

/// The keys whose values differ, each with its value in every config.
pub(super) fn between(configs: &[Config]) -> Result<Vec<(String, Vec<String>)>> {
    let mut flat = Vec::new();
    for config in configs {
        let text = config.to_toml()?;
        let table: Table =
            text.parse().map_err(|e: toml::de::Error| Error::Config(e.message().to_owned()))?;
        let mut values = Vec::new();
        flatten("", &table, &mut values);
        flat.push(values);
    }
    let mut keys: Vec<&String> = Vec::new();
    for (key, _) in flat.iter().flatten() {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let value = |values: &[(String, String)], wanted: &String| {
        values
            .iter()
            .find(|(key, _)| key == wanted)
            .map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    let rows =
        keys.into_iter().map(|key| (key.clone(), flat.iter().map(|own| value(own, key)).collect::<Vec<_>>()));
    Ok(rows.filter(|(_, values)| values.iter().any(|value| *value != values[0])).collect())
}

fn flatten(prefix: &str, table: &Table, values: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => flatten(&format!("{key}."), inner, values),
            other => values.push((key, notation(other))),
        }
    }
}
