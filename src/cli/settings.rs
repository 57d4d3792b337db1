//! `--set KEY=VALUE`: changes to the keys of a config.

use clap::Args;

use crate::names::as_strs;

#[derive(Debug, Clone, Args)]
pub(super) struct Settings {
    /// Change a key of the config, as in --set optimizer.lr=0.01 or --set data.path=moved.csv (repeatable);
    /// KEY=null removes the key, so that its default applies: `train.early_stopping=null` switches early stopping off.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    all: Vec<String>,
}

impl Settings {
    /// The settings, `KEY=VALUE` each.
    pub(super) fn all(&self) -> &[String] {
        &self.all
    }

    /// The same as `&str`.
    pub(super) fn as_strs(&self) -> Vec<&str> {
        as_strs(&self.all)
    }

    /// These and more after them.
    pub(super) fn with(&self, more: &[String]) -> Vec<String> {
        [&self.all, more].concat()
    }
}
