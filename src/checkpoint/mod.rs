//! Checkpoints: weights as safetensors, and folders with the whole state of a trainer and its [`Progress`].
//!
//! Every file is verified before it is used. A checkpoint's `progress.toml` holds a checksum of itself and of every other
//! file; weights from elsewhere must have every name and shape, and finite numbers.

mod folder;
mod foreign;
mod header;
mod progress;
mod weights;
mod writing;

pub use folder::{FailedUpdate, VerifiedCheckpoint, has_any, newest, newest_with_any_log, read_failure};
pub use progress::{BestState, EpochScore, Failure, NormSums, Progress, Sums};
pub(crate) use weights::require_finite;
pub use weights::{Contents, TensorInfo, inspect, load, load_checked, read, save};
pub use writing::{BestWeights, RunState, Saved, save as save_checkpoint, save_failure, set_aside};
