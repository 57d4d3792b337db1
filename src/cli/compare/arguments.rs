//! The arguments of `descent compare`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::cli::device::Compute;
use crate::cli::initial_weights::InitialWeights;
use crate::cli::paths;
use crate::cli::settings::Settings;
use crate::run::history::Axis;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Run folders, or folders of runs written by --folds or compare --train.
    #[arg(required_unless_present = "train", value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// Metric of the epochs or the test split to compare; by default the validation loss, or the training loss if a run
    /// has none. With --train, by default the accuracy or error on the validation rows, or on the test split.
    #[arg(long, value_name = "NAME")]
    pub(super) metric: Option<String>,
    /// Also draw the curves to an SVG file.
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Axes to compare the runs over, one table per axis; the picture uses the first.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "AXIS", default_value = "epochs")]
    pub(super) axis: Vec<Axis>,
    /// Train variants of this config and rank them.
    #[arg(long, value_name = "CONFIG", value_parser = paths::path(), conflicts_with = "runs", requires = "vary")]
    pub(super) train: Option<PathBuf>,
    /// Key to vary and its values, as in --vary optimizer.lr=0.1,0.01. With several --vary, all
    /// combinations are trained.
    #[arg(long, value_name = "KEY=A,B,…", requires = "train")]
    pub(super) vary: Vec<String>,
    /// Number of seeds per variant, counting up from the config's seed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=1000),
        requires = "train"
    )]
    pub(super) seeds: u64,
    #[command(flatten)]
    pub(super) set: Settings,
    /// Folder for the runs of --train; by default runs/compare-CONFIG-TIME. Run the same command again
    /// to resume.
    #[arg(long, value_name = "DIR", value_parser = paths::path(), requires = "train")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) initial: InitialWeights,
    #[command(flatten)]
    pub(super) compute: Compute,
}

impl Arguments {
    /// Whether runs are trained.
    pub(in crate::cli) fn trains(&self) -> bool {
        self.train.is_some()
    }
}

impl ValueEnum for Axis {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
