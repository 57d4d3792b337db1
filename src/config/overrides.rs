//! `--set KEY=VALUE`: sets any key of the config by its dotted path; `KEY=null` removes it.

use toml::{Table, Value};

use super::key_path;
use crate::error::{Error, Result};

/// The value that removes a key, so that its default applies. TOML has no word for nothing.
const NOTHING: &str = "null";

/// The meaning of `KEY=null` for a key that a config may have, where the table has none.
#[derive(Clone, Copy)]
pub(super) enum AbsentKey {
    /// It is an error.
    Refused,
    /// It is allowed: the same call before this one may have removed the key from the run's config.
    Passed,
}

/// `KEY=null` where the table has no such key.
pub(super) struct AbsentOverride {
    /// The dotted path of the key.
    pub(super) key: String,
    /// The table with some value for the key: reading it tells whether there is such a key at all.
    pub(super) table: Table,
}

impl AbsentKey {
    /// Lets an override pass, with a warning, or refuses it.
    pub(super) fn pass(self, argument: &str) -> Result<()> {
        match self {
            Self::Refused => {
                Err(usage(argument, "null removes a key, and the config does not set this one; leave it out"))
            }
            Self::Passed => {
                let argument = argument.escape_debug();
                tracing::warn!("--set {argument}: the run's config does not set this key");
                Ok(())
            }
        }
    }
}

/// The error of an override that cannot be applied.
fn usage(argument: &str, problem: &str) -> Error {
    Error::Config(format!("--set {}: {problem}", argument.escape_debug()))
}

/// Applies one override to the table and returns its key. The value is TOML; a bare word is taken as a string, and `null`
/// removes the key.
pub(super) fn apply(table: &mut Table, argument: &str) -> Result<String> {
    let usage = |problem: &str| usage(argument, problem);
    let (key, value) = key_path::split(argument)
        .ok_or_else(|| usage("expected KEY=VALUE, as in --set optimizer.lr=0.01"))?;
    let key = key.trim();
    let removes = value.trim() == NOTHING;
    let value = parse(value.trim()).or_else(|| path(key, value.trim())).ok_or_else(|| {
        let list = value.contains(',') && !value.contains(['[', '{', '"', '\'']);
        let hint = if list { format!("; did you mean {key}=[{value}]?") } else { String::new() };
        usage(&format!(
            "the value is not TOML; write numbers plainly, text in quotes, lists in [ ], tables in {{ }}{}",
            hint.escape_debug()
        ))
    })?;
    let parts = key_path::parts(key).map_err(usage)?;
    let (last, sections) = parts.split_last().ok_or_else(|| usage("there is no key"))?;
    if removes {
        remove(table, sections, last);
    } else {
        insert(table, sections, last, value).map_err(|problem| usage(&problem))?;
    }
    Ok(parts.join("."))
}

/// The keys among `keys` of a section that these overrides set, with their values.
///
/// # Errors
/// An override that cannot be applied.
pub(crate) fn section_of(section: &str, keys: &[&str], arguments: &[&str]) -> Result<Table> {
    let mut table = Table::new();
    for argument in arguments {
        if is_of(section, keys, argument)? {
            apply(&mut table, argument)?;
        }
    }
    Ok(match table.remove(section) {
        Some(Value::Table(section)) => section,
        _ => Table::new(),
    })
}

/// The first of these overrides that sets something else than `keys` of a section.
///
/// # Errors
/// An override that cannot be applied.
pub(crate) fn other_than<'a>(section: &str, keys: &[&str], arguments: &[&'a str]) -> Result<Option<&'a str>> {
    for argument in arguments {
        if !is_of(section, keys, argument)? {
            return Ok(Some(argument));
        }
    }
    Ok(None)
}

/// Whether an override sets one of these keys of a section, or a key below it.
fn is_of(section: &str, keys: &[&str], argument: &str) -> Result<bool> {
    let key = apply(&mut Table::new(), argument)?;
    let within = key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'));
    Ok(within.is_some_and(|within| {
        keys.iter()
            .any(|own| within.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }))
}

/// The override, where it is `KEY=null` and the table has no such key.
pub(super) fn absent(table: &Table, argument: &str) -> Result<Option<AbsentOverride>> {
    let Some((key, value)) = key_path::split(argument) else { return Ok(None) };
    if value.trim() != NOTHING {
        return Ok(None);
    }
    let mut table = table.clone();
    let parts = key_path::parts(key.trim()).map_err(|problem| usage(argument, problem))?;
    let Some((last, sections)) = parts.split_last() else { return Ok(None) };
    if remove(&mut table, sections, last).is_some() {
        return Ok(None);
    }
    insert(&mut table, sections, last, Value::Boolean(false)).map_err(|problem| usage(argument, &problem))?;
    Ok(Some(AbsentOverride { key: parts.join("."), table }))
}

/// Sets a key of the table within these sections.
///
/// # Errors
/// One of the sections is a value.
fn insert(table: &mut Table, sections: &[String], key: &str, value: Value) -> Result<(), String> {
    let mut inner = table;
    for (depth, section) in sections.iter().enumerate() {
        let entry = inner.entry(section).or_insert_with(|| Value::Table(Table::new()));
        // An empty list says as little as an empty table: a run's config has one of `data.na_values`, which may be either.
        if entry.as_array().is_some_and(Vec::is_empty) {
            *entry = Value::Table(Table::new());
        }
        inner = entry.as_table_mut().ok_or_else(|| {
            let value = sections[..=depth].join(".");
            let below = sections[depth + 1..].iter().map(String::as_str).chain([key]);
            let keys = below.collect::<Vec<_>>().join(".");
            format!(
                "`{}` is a value and has no keys; --set '{}={{ {} = ... }}' puts a table in its place",
                section.escape_debug(),
                value.escape_debug(),
                keys.escape_debug()
            )
        })?;
    }
    inner.insert(key.to_owned(), value);
    Ok(())
}

/// Removes a key of the table within these sections, and returns its value.
fn remove(table: &mut Table, sections: &[String], key: &str) -> Option<Value> {
    let mut sections = sections.iter();
    sections.try_fold(table, |table, section| table.get_mut(section)?.as_table_mut())?.remove(key)
}

/// A path as it is: it may have characters that no bare word has.
fn path(key: &str, value: &str) -> Option<Value> {
    let is_path = super::paths::is_path(key) && !value.is_empty() && !value.contains(['"', '\'', '\n']);
    is_path.then(|| Value::String(value.to_owned()))
}

fn parse(value: &str) -> Option<Value> {
    let table: Result<Table, _> = format!("value = {value}").parse();
    match table {
        // More than one key: the value contained a line break and another key.
        Ok(mut table) if table.len() == 1 => table.remove("value"),
        Ok(_) => None,
        Err(_) => {
            let word = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
            word.then(|| Value::String(value.to_owned()))
        }
    }
}
