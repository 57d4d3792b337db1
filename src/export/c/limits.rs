//! What C source does not have.

use crate::error::Error;

/// The error of a part that C source does not have.
pub(super) fn beyond(key: &str) -> Error {
    Error::Config(format!("--to c: `{key}` has no form in C source yet; --to onnx and --to torch write it"))
}
