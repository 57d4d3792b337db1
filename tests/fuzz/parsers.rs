//! All that reads what others wrote, fed with any bytes: none of them panics, aborts, or takes memory without end.
#![allow(dead_code, reason = "each fuzz target uses one")]

use std::io::Cursor;

use descent::checkpoint::{self, Progress};
use descent::config::Config;
use descent::data::{Task, idx, npz};

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
        let wants = [
            Task::Values,
            Task::Labels,
            Task::Classes { ignored: -100, probabilities: false },
            Task::Classes { ignored: -100, probabilities: true },
        ];
        let _ = npz::from_reader(Cursor::new(bytes), wants[usize::from(*kind) % wants.len()]);
    }
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
