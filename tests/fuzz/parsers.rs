//! All that reads what others wrote, fed with any bytes: none of them panics, aborts, or takes memory without end.
#![allow(dead_code, reason = "each fuzz target uses one")]

use std::io::Cursor;

use descent::checkpoint::{self, Progress};
use descent::config::Config;
use descent::data::table::read::{Dialect, Format, Input};
use descent::data::table::{ColumnNames, Csv, Jsonl, Missing, Opened, Options, Parquet};
use descent::data::{Preparation, Request, Source, Task, idx, npz};

/// Takes any bytes.
pub(crate) type Parser = fn(&[u8]);

/// The parsers by name.
pub(crate) const ALL: &[(&str, Parser)] = &[
    ("safetensors", safetensors),
    ("progress", progress),
    ("idx", idx),
    ("npz", npz),
    ("config", config),
    ("set", set),
    ("csv", csv),
    ("jsonl", jsonl),
    ("parquet", parquet),
];

const TASKS: [Task; 4] = [
    Task::Values,
    Task::Labels,
    Task::Classes { ignored: -100, probabilities: false },
    Task::Classes { ignored: -100, probabilities: true },
];

/// Weights.
pub(crate) fn safetensors(bytes: &[u8]) {
    let _ = checkpoint::read(bytes, bytes.len() as u64);
}

/// Where a run stands. What can be read is written and read again as itself.
pub(crate) fn progress(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // With the right sum too: hardly any input has it by chance.
    let sum = descent::files::Checksum::of(bytes).sha256;
    for text in [text.to_owned(), format!("sha256 = \"{sum}\"\n{text}")] {
        if let Ok(progress) = Progress::parse(&text) {
            assert!(Progress::parse(&progress.to_text().expect("it was read from a text")).is_ok());
        }
    }
}

/// Images and labels; the first byte says which.
pub(crate) fn idx(bytes: &[u8]) {
    if let [rank, bytes @ ..] = bytes {
        let _ = idx::from_bytes(bytes, if rank % 2 == 0 { 1 } else { 3 });
    }
}

/// Arrays; the first byte says for which targets.
pub(crate) fn npz(bytes: &[u8]) {
    if let [kind, bytes @ ..] = bytes {
        let _ = npz::from_reader(Cursor::new(bytes), TASKS[usize::from(*kind) % TASKS.len()]);
    }
}

/// A CSV file, from its bytes to encoded rows of which the last column is the target; the first byte says for which
/// targets, and how missing cells are filled.
pub(crate) fn csv(bytes: &[u8]) {
    table(bytes, "csv", Format::Csv, |options| Box::new(Csv(options)));
}

/// The same of JSON lines.
pub(crate) fn jsonl(bytes: &[u8]) {
    table(bytes, "jsonl", Format::Jsonl, |options| Box::new(Jsonl(options)));
}

/// The same of Parquet.
pub(crate) fn parquet(bytes: &[u8]) {
    table(bytes, "parquet", Format::Parquet, |options| Box::new(Parquet(options)));
}

fn table(bytes: &[u8], extension: &str, format: Format, source: impl Fn(Options) -> Box<dyn Source>) {
    let [kind, bytes @ ..] = bytes else { return };
    let (kind, folder) = (usize::from(*kind), std::env::temp_dir());
    let path = folder.join(format!("descent-fuzz-{}.{extension}", std::process::id()));
    std::fs::write(&path, bytes).expect("there is room for a small file");
    if let Ok(table) = Opened::new(Input::File(path.clone()), format, Dialect::default(), None)
        && let Some(last) = table.columns().last()
    {
        let missing = [None, Some(Missing::Mean), Some(Missing::Median), Some(Missing::Category)];
        let options = Options {
            path: path.clone(),
            target: ColumnNames(vec![last.clone()]),
            missing: missing[kind / TASKS.len() % missing.len()],
            ..Options::default()
        };
        let plan = Preparation::default();
        let _ = source(options).load(&Request::new(TASKS[kind % TASKS.len()], &plan));
    }
    let _ = std::fs::remove_file(path);
}

/// A config. What is resolved is read again as itself.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(config) = Config::parse(text, "fuzzed.toml", &[]) {
        let resolved = config.to_toml().expect("a config can be written");
        let again = Config::parse(&resolved, "resolved.toml", &[]).expect("what is resolved is a config");
        assert_eq!(again.to_toml().expect("a config can be written"), resolved);
    }
}

/// `--set KEY=VALUE`.
pub(crate) fn set(bytes: &[u8]) {
    let Ok(argument) = std::str::from_utf8(bytes) else { return };
    let base = include_str!("../../configs/quick-start.toml");
    let _ = Config::parse(base, "quick-start.toml", &[argument]);
}
