//! A training run: a config is trained into a folder, with checkpoints, logs and the best weights.
//!
//! [`Run::create`] starts a run and [`Run::resume`] continues one; [`Run::train`] trains it. The folder then has
//!
//! | file | holds |
//! | --- | --- |
//! | `config.toml` | the resolved config; training it again gives the same weights |
//! | `data.toml` | the preprocessing fitted on the training rows, and the SHA-256 of the splits |
//! | `model.safetensors` | the best weights: a PyTorch state dict |
//! | `residuals.json` | of values: errors on the validation rows, for intervals |
//! | `metrics.jsonl`, `metrics.csv` | a line per epoch, and one for the test at the end |
//! | `events.out.tfevents.*` | the same for TensorBoard |
//! | `checkpoints/step-00000938/` | everything that an exact resume needs |
//!
//! [`Predictor`] opens the folder of a trained run. The crate's first page has an example of both. An [`Observer`] sees
//! a run while it trains; the logs are observers, and so are the bars and the dashboard of the command line.

pub(crate) mod bag;
pub(crate) mod baselines;
mod best;
mod collective;
mod cut_short;
pub(crate) mod data_file;
mod deferred;
pub(crate) mod device;
pub(crate) mod doubts;
mod epochs;
mod fingerprint;
pub(crate) mod folder;
mod handle;
pub(crate) mod history;
mod initial_weights;
pub(crate) mod intervals;
mod kept;
mod metrics_log;
mod metrics_table;
pub(crate) mod names;
mod new_folder;
mod observer;
mod options;
mod predict;
mod prepare;
pub(crate) mod ranks;
mod reporting;
pub(crate) mod residuals;
mod resume;
mod resumed;
mod saving;
pub(crate) mod scoring;
pub(crate) mod session;
pub(crate) mod standing;
pub(crate) mod tensorboard;
pub(crate) mod trained;
pub(crate) mod unfinished;
mod watched_config;
mod whole_file;

pub use device::choose_device;
pub use handle::Run;
pub use initial_weights::{InitialPart, Rename, TakenWeights};
pub use new_folder::{claim as claim_folder, release as release_folder, require_free as require_free_folder};
pub use observer::{End, EpochEnd, EpochStart, Finished, Observer, Quiet, UpdateEnd};
pub use options::{Interrupt, RunOptions};
pub(crate) use predict::Columns;
pub use predict::{Cell, OutputOptions, Predictions, Predictor, Table};
pub(crate) use prepare::PreparedParts;
pub use prepare::PreparedRun;
