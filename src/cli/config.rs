//! `descent config`: checks a config, shows it resolved, or prints its JSON Schema.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use toml::{Table, Value};

use super::settings::Settings;
use crate::config::{Config, schema};
use crate::error::{Error, Result};
use crate::names::toml_key;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a config without reading its data.
    Check(ConfigFile),
    /// Print the config with all defaults and the origin of each value.
    Show(ConfigFile),
    /// Print the JSON Schema of a config, for completion and checks in editors.
    Schema,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// Config file.
    config: PathBuf,
    #[command(flatten)]
    set: Settings,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match &arguments.command {
        Command::Check(ConfigFile { config, set }) => {
            let read = Config::read(config, &set.as_strs())?;
            read.check_size()?;
            read.check_epochs()?;
            writeln!(out, "{} can be trained", config.display())?;
        }
        Command::Schema => writeln!(out, "{:#}", schema())?,
        Command::Show(ConfigFile { config, set }) => {
            write!(out, "{}", annotated(&Config::read(config, &set.as_strs())?)?)?;
        }
    }
    Ok(())
}

/// The resolved config, a valid config itself, with the origin of each value as a comment.
fn annotated(config: &Config) -> Result<String> {
    let table: Table =
        config.to_toml()?.parse().map_err(|e: toml::de::Error| Error::Config(e.message().to_owned()))?;
    let mut lines = Vec::new();
    section(&SectionPath::default(), &table, config, &mut lines);
    let width =
        lines.iter().filter(|(_, place)| place.is_some()).map(|(text, _)| text.len()).max().unwrap_or(0);
    // A long list does not push all comments to the right.
    let width = width.min(48);
    Ok(lines.iter().fold(String::new(), |all, (text, place)| match place {
        Some(place) => format!("{all}{text:<width$}  # {}\n", place.escape_debug()),
        None => format!("{all}{text}\n"),
    }))
}

/// The path of a section, each key with a dot behind it.
#[derive(Debug, Clone, Default)]
struct SectionPath {
    /// With the keys as they are.
    plain: String,
    /// With the keys as TOML writes them.
    written: String,
}

impl SectionPath {
    fn of(&self, key: &str) -> Self {
        Self {
            plain: format!("{}{key}.", self.plain),
            written: format!("{}{}.", self.written, toml_key(key)),
        }
    }

    /// The line that begins the section.
    fn header(&self) -> String {
        format!("\n[{}]", self.written.trim_end_matches('.'))
    }
}

/// The lines of a table: its own values, then its sections.
fn section(path: &SectionPath, table: &Table, config: &Config, lines: &mut Vec<(String, Option<String>)>) {
    let (inner, own): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_section(value));
    for (key, value) in own {
        let place = config.place_of(&format!("{}{key}", path.plain));
        lines.push((format!("{} = {value}", toml_key(key)), Some(place)));
    }
    for (key, value) in inner {
        let path = path.of(key);
        match value {
            Value::Table(table) => {
                lines.push((path.header(), None));
                section(&path, table, config, lines);
            }
            Value::Array(tables) => {
                for table in tables.iter().filter_map(Value::as_table) {
                    lines.push((path.header().replace('[', "[[").replace(']', "]]"), None));
                    let place = config.place_of(path.plain.trim_end_matches('.'));
                    lines.extend(
                        table.iter().map(|(key, value)| (format!("{key} = {value}"), Some(place.clone()))),
                    );
                }
            }
            _ => {}
        }
    }
}

fn is_section(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(values) => values.first().is_some_and(Value::is_table),
        _ => false,
    }
}
