//! An array of rows to predict, from an `.npy`, `.npz` or IDX file.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::archive::Arrays;
use super::bytes::Bytes;
use super::idx;
use super::memory::MemoryLimit;
use super::npy::{self, Array, Integers};
use crate::error::{Error, Result};
use crate::files;
use crate::names::counted;

/// Requires rows of as many numbers as a run was trained on, from the shapes of a row.
pub(crate) fn require_width(path: &Path, own: &[usize], trained: &[usize]) -> Result<()> {
    let (numbers, wanted): (usize, usize) = (own.iter().product(), trained.iter().product());
    if numbers == wanted {
        return Ok(());
    }
    let numbers = counted(numbers, "number");
    let problem = format!("a row has {numbers}, {own:?}, and the run was trained on {wanted}, {trained:?}");
    Err(Error::data(path, problem))
}

/// Reads the array of a file, (N, …), as bytes or numbers. In an `.npz` file it is `x`, `x_test` or `x_train`, or the
/// only array.
pub fn read(path: &Path) -> Result<Array> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let limit = MemoryLimit::of_free();
    let array = match ending.as_deref() {
        Some("npy") => {
            let mut file = files::open(path)?.file;
            npy::read(&mut file, Integers::Features, limit).map_err(|problem| Error::data(path, problem))?
        }
        Some("npz") => of_npz(path, limit)?,
        _ if !idx::is_idx(path)? => {
            let problem =
                "this is no array, as an .npy, .npz or IDX file has one, and by its name no picture";
            return Err(Error::data(path, problem));
        }
        _ => {
            let idx = idx::read(path, 3, limit)?;
            Array { tensor: Tensor::from_vec(idx.bytes, idx.shape, &Device::Cpu)?, bytes: Bytes::Pixels }
        }
    };
    if array.tensor.rank() < 2 {
        let shape = array.tensor.dims();
        return Err(Error::data(path, format!("an array {shape:?} has no rows of features")));
    }
    Ok(array)
}

fn of_npz(path: &Path, limit: MemoryLimit) -> Result<Array> {
    let mut arrays = Arrays::open(path)?;
    let names = arrays.names();
    let found = ["x", "x_test", "x_train"].into_iter().find(|name| names.iter().any(|own| own == name));
    let name = match (found, names.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => only.clone(),
        _ => {
            let problem = format!("no array `x` or `x_test`; it has {}", arrays.listed());
            return Err(Error::data(path, problem));
        }
    };
    let array = arrays.read(&name, Integers::Features, limit)?;
    array.ok_or_else(|| {
        Error::data(path, format!("`{}` is no array; np.savez makes some", name.escape_debug()))
    })
}
