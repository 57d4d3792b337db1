//! `--init-from` and its parts: the weights that a run starts from.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::messages::print_line;
use super::{paths, table};
use crate::run::{InitialPart, PreparedRun, Rename, RunOptions};

#[derive(Debug, Args)]
pub(super) struct InitialWeights {
    /// Start from these weights: a state dict with the model's names.
    #[arg(long, value_name = "FILE.safetensors", value_parser = paths::path())]
    init_from: Option<PathBuf>,
    /// Take only those of the model's parameters from --init-from whose names match, as in --init-match "layer1.*"
    /// (repeatable). BatchNorm's statistics are taken with its parameters.
    #[arg(long, value_name = "PATTERN", requires = "init_from", value_parser = NonEmptyStringValueParser::new())]
    init_match: Vec<String>,
    /// Replace prefixes of the names in --init-from, as in --init-rename "0.=layer1.,2.=layer2." for an nn.Sequential.
    /// Tensors whose names the model does not have are ignored.
    #[arg(long, value_name = "FROM=TO,…", value_delimiter = ',', requires = "init_from")]
    init_rename: Vec<Rename>,
    /// Accept NaN and infinite values in the weights of --init-from.
    #[arg(long, requires = "init_from")]
    allow_nonfinite: bool,
}

impl InitialWeights {
    /// Whether there are some.
    pub(super) fn is_given(&self) -> bool {
        self.init_from.is_some()
    }

    /// The options of a run that starts from them.
    pub(super) fn options(&self, options: RunOptions) -> RunOptions {
        RunOptions {
            init_from: self.init_from.clone(),
            init_part: InitialPart { patterns: self.init_match.clone(), renames: self.init_rename.clone() },
            allow_nonfinite: self.allow_nonfinite,
            ..options
        }
    }
}

/// Prints which tensors a part of a file gave to the network, and which it did not.
pub(super) fn describe(prepared: &PreparedRun) {
    let Some(taken) = prepared.taken() else { return };
    let name = |(own, of_file): &(String, String)| {
        if own == of_file { table::printable(own) } else { format!("{own} ({})", table::printable(of_file)) }
    };
    let all = |names: &[String]| names.iter().map(|name| table::printable(name)).collect::<Vec<_>>();
    let lines = [
        ("taken from the file", taken.taken.iter().map(name).collect()),
        ("left at their initialisation", all(&taken.initialised)),
        ("left in the file", all(&taken.left)),
    ];
    for (what, names) in lines {
        print_line(&format!(
            "{what}: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ));
    }
}
