//! Arrays saved with NumPy: `np.savez(path, x_train=…, y_train=…, x_test=…, y_test=…)`, the layout of Keras' mnist.npz.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zip::ZipArchive;

use super::pictures::Pictures;
use super::{Loaded, RawRows, Request, Rows, Source, Task, npy};
use crate::error::{Error, Result};
use crate::files;

/// The most classes: more labels than this are most likely numbers.
const MOST_CLASSES: usize = 100_000;

/// An `.npz` file with `x_train`, `y_train` and optionally `x_test`, `y_test`: x (N, F), (N, T, F) or images of bytes
/// (N, H, W), y classes (N), values (N) or (N, K), or a probability for each class (N, C).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Npz {
    /// The file.
    pub path: PathBuf,
    /// The number of classes; default: the largest label + 1.
    pub classes: Option<usize>,
}

impl Source for Npz {
    fn place(&self) -> PathBuf {
        self.path.clone()
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::Config("`data.path` is missing; name the .npz file".to_owned()));
        }
        let (file, _) = files::open(&self.path)?;
        self.arrays(file, request.task)
    }
}

/// Reads the rows of an `.npz` file from any reader.
pub fn from_reader(source: impl Read + Seek, task: Task) -> Result<Loaded> {
    Npz::default().arrays(source, task)
}

impl Npz {
    fn arrays(&self, source: impl Read + Seek, task: Task) -> Result<Loaded> {
        let mut archive = ZipArchive::new(source)
            .map_err(|e| Error::data(&self.path, format!("not an .npz file ({e}); np.savez makes one")))?;
        let train = self.split(&mut archive, "train", task)?.ok_or_else(|| {
            let names: Vec<_> = archive.file_names().flatten().collect();
            let problem = format!("no array `x_train`; it has {}", names.join(", ").escape_debug());
            Error::data(&self.path, problem)
        })?;
        let test = self.split(&mut archive, "test", task)?;
        let outputs = match task {
            Task::Values | Task::Labels => train.ys.dims()[1],
            Task::Classes { .. } if train.ys.rank() == 2 => train.ys.dims()[1],
            Task::Classes { ignored, .. } => self.classes(&train, test.as_ref(), ignored)?,
        };
        let images = train.xs.dtype() == DType::U8 && task.classes();
        let pictures = if images { Pictures::grey(&train.xs, outputs) } else { None };
        Ok(Loaded::Raw(RawRows { train, test, test_share: 0.0, outputs, ordered: false, pictures }))
    }

    fn split(
        &self,
        archive: &mut ZipArchive<impl Read + Seek>,
        split: &str,
        task: Task,
    ) -> Result<Option<Rows>> {
        let Some(xs) = self.array(archive, &format!("x_{split}"))? else {
            return Ok(None);
        };
        let name = format!("y_{split}");
        let fail = |problem: String| Err(Error::data(&self.path, problem));
        let Some(ys) = self.array(archive, &name)? else {
            return fail(format!("there is `x_{split}` but no `{name}`"));
        };
        let (rows, targets) = (xs.dims().first().copied(), ys.dims().first().copied());
        if xs.rank() < 2 || rows != targets || rows == Some(0) {
            return fail(format!(
                "`x_{split}` {:?} and `{name}` {:?} do not fit: x is (N, F) or (N, T, F), y is (N) or (N, K)",
                xs.dims(),
                ys.dims()
            ));
        }
        let xs = if xs.dtype() == DType::I64 { xs.to_dtype(DType::F64)? } else { xs };
        if xs.dtype() != DType::U8 {
            require_finite(&self.path, &format!("x_{split}"), &xs)?;
        }
        let ys = match task {
            Task::Values | Task::Labels => values(&ys)?,
            // As torch has it: a number a class is a probability for each of them.
            Task::Classes { probabilities: true, .. } if ys.rank() == 2 && ys.dims()[1] > 1 => values(&ys)?,
            Task::Classes { ignored, .. } => class_numbers(&self.path, &name, &ys, ignored)?,
        };
        if ys.dtype() == DType::F64 {
            require_finite(&self.path, &name, &ys)?;
        }
        Ok(Some(Rows { xs, ys }))
    }

    fn array(&self, archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Option<Tensor>> {
        let file_name = format!("{name}.npy");
        if archive.index_for_name(&file_name).is_none() {
            return Ok(None);
        }
        let fail = |problem: String| Error::data(&self.path, format!("array `{name}`: {problem}"));
        let mut entry = archive.by_name(&file_name).map_err(|e| fail(e.to_string()))?;
        npy::read(&mut entry).map(Some).map_err(fail)
    }

    fn classes(&self, train: &Rows, test: Option<&Rows>, ignored: i64) -> Result<usize> {
        let mut largest = 0;
        for rows in [Some(train), test].into_iter().flatten() {
            let labels = rows.ys.to_vec1::<i64>()?;
            largest = labels.into_iter().filter(|label| *label != ignored).fold(largest, i64::max);
        }
        let found = usize::try_from(largest).unwrap_or_default() + 1;
        match self.classes {
            Some(classes) if classes < found => {
                let problem = format!("label {largest} is outside the {classes} classes of `data.classes`");
                Err(Error::data(&self.path, problem))
            }
            Some(classes) if classes > MOST_CLASSES => {
                Err(Error::Config(format!("`data.classes` is {classes}; give {MOST_CLASSES} at most")))
            }
            Some(classes) => Ok(classes),
            None if found > MOST_CLASSES => {
                let problem =
                    format!("a label is {largest}; if these are numbers and not classes, use the loss `mse`");
                Err(Error::data(&self.path, problem))
            }
            None => Ok(found),
        }
    }
}

/// Targets as numbers, (N, K).
fn values(ys: &Tensor) -> Result<Tensor> {
    let ys = ys.to_dtype(DType::F64)?;
    let rows = ys.dims()[0];
    Ok(ys.reshape((rows, ()))?)
}

/// Targets as class indices, (N).
fn class_numbers(path: &Path, name: &str, ys: &Tensor, ignored: i64) -> Result<Tensor> {
    let rows = ys.dims()[0];
    if ys.elem_count() != rows {
        let problem = format!("`{name}` is {:?}; classes are one number a row, (N)", ys.dims());
        return Err(Error::data(path, problem));
    }
    let ys = ys.reshape(rows)?;
    let labels = ys.to_dtype(DType::I64)?;
    let exact = labels.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let given = ys.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    #[allow(clippy::float_cmp, reason = "a class number is a whole number exactly")]
    let fraction = exact.iter().zip(&given).position(|(whole, given)| whole != given);
    if let Some(row) = fraction {
        let problem = format!(
            "`{name}` has {} in row {row}, which is not a class index; for numeric targets use the loss `mse`",
            given[row]
        );
        return Err(Error::data(path, problem));
    }
    let numbers = labels.to_vec1::<i64>()?;
    if let Some(row) = numbers.iter().position(|label| *label < 0 && *label != ignored) {
        let problem = format!("`{name}` has the class {} in row {row}; classes count from 0", numbers[row]);
        return Err(Error::data(path, problem));
    }
    Ok(labels)
}

fn require_finite(path: &Path, name: &str, values: &Tensor) -> Result<()> {
    let numbers = values.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let Some(at) = numbers.iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let row = at / (numbers.len() / values.dims()[0]).max(1);
    let problem = format!("`{name}` has {} in row {row}; fill or drop such rows first", numbers[at]);
    Err(Error::data(path, problem))
}
