//! The trait of a data source.

use std::path::PathBuf;

use super::split::Part;
use super::{Loaded, Request, WrittenRow};
use crate::error::Result;

/// A source of rows; its options implement it.
pub trait Source {
    /// Reads all rows, with targets for the task of the request.
    fn load(&self, request: &Request<'_>) -> Result<Loaded>;

    /// The rows of a part as the file has them, for people; empty if a source cannot tell.
    fn written_rows(
        &self,
        _request: &Request<'_>,
        _part: Part,
        _numbers: &[usize],
    ) -> Result<Vec<WrittenRow>> {
        Ok(Vec::new())
    }

    /// Whether the rows may bring validation rows of their own.
    fn may_have_validation(&self) -> bool {
        false
    }

    /// Says which of the rows are scored where all rows of a file are; nothing where that goes without saying.
    fn scored(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// The file or folder to name in messages.
    fn place(&self) -> PathBuf;
}
