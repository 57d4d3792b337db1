//! The Rust files of the repository, parsed.

use std::fs;
use std::path::Path;

use crate::common::repository;

/// One file of Rust code.
pub(super) struct Source {
    /// Its path from the repository's root: `src/nn/init.rs`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) syntax: syn::File,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|e| panic!("{path}: {e}"));
        Self { path: path.to_owned(), text: text.to_owned(), syntax }
    }
}

/// Every `.rs` file under a folder of the repository, by path.
pub(super) fn read(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&repository(folder), &mut paths);
    paths.sort();
    let root = repository("");
    let relative = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    paths.iter().map(|path| Source::new(&relative(path), &fs::read_to_string(path).unwrap())).collect()
}

fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
