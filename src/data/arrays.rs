//! An array of rows to predict, from an `.npy`, `.npz` or IDX file.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use zip::ZipArchive;

use super::{idx, npy};
use crate::error::{Error, Result};
use crate::files;

/// Reads the array of a file, (N, …), as bytes or numbers. In an `.npz` file it is `x`, `x_test` or `x_train`, or the
/// only array.
pub fn read(path: &Path) -> Result<Tensor> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let xs = match ending.as_deref() {
        Some("npy") => {
            let (mut file, _) = files::open(path)?;
            npy::read(&mut file).map_err(|problem| Error::data(path, problem))?
        }
        Some("npz") => of_npz(path)?,
        _ => {
            let idx = idx::read(path, 3)?;
            Tensor::from_vec(idx.bytes, idx.shape, &Device::Cpu)?
        }
    };
    if xs.rank() < 2 {
        return Err(Error::data(path, format!("an array {:?} has no rows of features", xs.dims())));
    }
    Ok(if xs.dtype() == DType::I64 { xs.to_dtype(DType::F64)? } else { xs })
}

fn of_npz(path: &Path) -> Result<Tensor> {
    let damaged =
        |e: &dyn std::fmt::Display| Error::data(path, format!("not an .npz file ({e}); np.savez makes one"));
    let mut archive = ZipArchive::new(files::open(path)?.0).map_err(|e| damaged(&e))?;
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.to_string()).collect();
    let found =
        ["x.npy", "x_test.npy", "x_train.npy"].into_iter().find(|name| names.iter().any(|own| own == name));
    let name = match (found, names.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => only.clone(),
        _ => {
            let problem = format!("no array `x` or `x_test`; it has {}", names.join(", ").escape_debug());
            return Err(Error::data(path, problem));
        }
    };
    let mut entry = archive.by_name(&name).map_err(|e| damaged(&e))?;
    npy::read(&mut entry).map_err(|problem| Error::data(path, format!("array `{name}`: {problem}")))
}
