//! What a run leaves on the disk and goes on from: weights as safetensors, and whole snapshots of a trainer
//! with its [`Progress`] as folders.
//!
//! Nothing is used before it is known to be whole. A checkpoint's `progress.toml` holds a checksum of itself and of every
//! other file; weights from elsewhere must have every name and shape, and finite numbers.

mod folder;
mod header;
mod progress;
mod weights;
mod writing;

pub use folder::{Found, newest, read_failure};
pub use progress::{Failure, Judged, Progress, Scored, Sums};
pub use weights::{Info, inspect, load, load_checked, read, save};
pub use writing::{Best, Saved, save as save_checkpoint, save_failure, set_aside};
