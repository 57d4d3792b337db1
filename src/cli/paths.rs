//! Paths as arguments.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::files;

/// Reads a path. A shell expands `~` only where an argument begins with it, not in `--out=~/run`.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(files::expand_home)
}
