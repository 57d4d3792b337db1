//! What a data set is.

use std::path::PathBuf;

use super::{Loaded, Request};
use crate::error::Result;

/// A source of rows; its options implement it.
pub trait Source {
    /// Reads all rows, with targets for the task of the request.
    fn load(&self, request: &Request<'_>) -> Result<Loaded>;

    /// The file or folder to name in messages.
    fn place(&self) -> PathBuf;
}
