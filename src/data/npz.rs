//! Arrays saved with NumPy: `np.savez(path, x_train=…, y_train=…, x_test=…, y_test=…)`, the layout of Keras' mnist.npz;
//! `x_val` and `y_val` are validation rows, and `w_train`,
//! `w_val`, `w_test` say how much each row counts.

mod checks;
mod names;

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::checks::{class_numbers, require_finite, require_known, values, weights_of};
use self::names::SplitNames;
use super::archive::Arrays;
use super::arrays::require_width;
use super::large_numbers;
use super::memory::MemoryLimit;
use super::npy::{Array, Integers};
use super::pictures::Pictures;
use super::{Bytes, Loaded, RawRows, Request, Rows, Source, Task};
use crate::error::{Error, Result};

/// The most classes: more labels than this are most likely numbers.
const MOST_CLASSES: usize = 100_000;

/// An `.npz` file with `x_train`, `y_train` and optionally `x_val`, `y_val` and `x_test`, `y_test`: x (N, F), (N, T, F) or images of bytes
/// (N, H, W), y classes (N), values (N) or (N, K), or a probability for each class (N, C).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Npz {
    /// The file.
    pub path: PathBuf,
    /// The number of classes; default: the largest label + 1.
    pub classes: Option<usize>,
    /// The most MiB that the arrays may take in memory; default: half of what is free.
    #[schemars(range(min = 1))]
    pub memory: Option<u64>,
}

/// The use of arrays.
#[derive(Clone, Copy)]
struct ArrayUse {
    task: Task,
    /// The number of outputs of the run that scores them; nothing where a run is to be trained on them.
    outputs: Option<usize>,
}

/// The rows of one split.
struct SplitArrays {
    rows: Rows,
    bytes: Bytes,
}

impl Source for Npz {
    fn place(&self) -> PathBuf {
        self.path.clone()
    }

    fn may_have_validation(&self) -> bool {
        true
    }

    fn scored(&self) -> Result<Option<String>> {
        Ok(names::scored(&Arrays::open(&self.path)?.names()))
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::Config("`data.path` is missing; name the .npz file".to_owned()));
        }
        let arrays = Arrays::open(&self.path)?;
        if request.fitted.is_none() {
            names::warn_of_unread(&self.path, &arrays.names());
        }
        let read = ArrayUse { task: request.task, outputs: request.fitted.map(|fitted| fitted.outputs) };
        let loaded = self.arrays(arrays, read)?;
        if let Loaded::Raw(rows) = &loaded {
            match request.fitted {
                None => large_numbers::hint(&self.path, &rows.train, request)?,
                Some(fitted) => require_width(&self.path, &rows.train.xs.dims()[1..], &fitted.row)?,
            }
        }
        Ok(loaded)
    }
}

/// Reads the rows of an `.npz` file from any reader.
pub fn from_reader(source: impl Read + Seek, task: Task) -> Result<Loaded> {
    Npz::default().arrays(Arrays::new(Path::new(""), source)?, ArrayUse { task, outputs: None })
}

impl Npz {
    fn arrays(&self, mut arrays: Arrays<impl Read + Seek>, read: ArrayUse) -> Result<Loaded> {
        let limit = MemoryLimit::new(self.memory);
        let first = SplitNames::first(&arrays.names(), read.outputs.is_some());
        let train = self.split(&mut arrays, first, read, limit)?.ok_or_else(|| {
            let names = if read.outputs.is_some() { "`x_train`, `x` or `x_test`" } else { "`x_train`" };
            Error::data(&self.path, format!("no array {names}; it has {}", arrays.listed()))
        })?;
        let limit = limit.less(&train.rows.xs);
        let mut other = |names: SplitNames, limit: MemoryLimit| match first {
            SplitNames::TRAIN => self.split(&mut arrays, names, read, limit),
            _ => Ok(None),
        };
        let validation = other(SplitNames::VALIDATION, limit)?;
        let limit = validation.as_ref().map_or(limit, |validation| limit.less(&validation.rows.xs));
        let test = other(SplitNames::TEST, limit)?;
        let room = test.as_ref().map_or(limit, |test| limit.less(&test.rows.xs));
        let OneKind { train, validation, test, bytes } = of_one_kind(train, validation, test)?;
        let outputs = match (read.outputs, read.task) {
            (Some(outputs), _) => outputs,
            (None, Task::Classes { ignored, .. }) if train.ys.rank() == 1 => {
                self.classes([Some(&train), validation.as_ref(), test.as_ref()], ignored)?
            }
            (None, _) => train.ys.dims()[1],
        };
        let images = train.xs.dtype() == DType::U8 && bytes == Bytes::Pixels && read.task.classes();
        let pictures = if images { Pictures::grey(&train.xs, outputs) } else { None };
        let (test_share, ordered) = (0.0, false);
        Ok(Loaded::Raw(RawRows {
            train,
            validation,
            test,
            test_share,
            outputs,
            ordered,
            pictures,
            bytes,
            room,
        }))
    }

    fn split(
        &self,
        arrays: &mut Arrays<impl Read + Seek>,
        names: SplitNames,
        read: ArrayUse,
        limit: MemoryLimit,
    ) -> Result<Option<SplitArrays>> {
        let [x, y, w] = names.arrays();
        let Some(Array { tensor: xs, bytes }) = arrays.read(&x, Integers::Features, limit)? else {
            return Ok(None);
        };
        let fail = |problem: String| Err(Error::data(&self.path, problem));
        let Some(Array { tensor: ys, .. }) = arrays.read(&y, Integers::Exact, limit.less(&xs))? else {
            return fail(format!("there is `{x}` but no `{y}`"));
        };
        let (rows, targets) = (xs.dims().first().copied(), ys.dims().first().copied());
        if xs.rank() < 2 || rows != targets || rows == Some(0) {
            return fail(format!(
                "`{x}` {:?} and `{y}` {:?} do not fit: x is (N, F) or (N, T, F), y is (N) or (N, K)",
                xs.dims(),
                ys.dims()
            ));
        }
        if xs.dtype() != DType::U8 {
            require_finite(&self.path, &x, &xs)?;
        }
        let ys = self.targets(&y, &ys, read)?;
        let weights = match arrays.read(&w, Integers::Features, limit.less(&xs))? {
            Some(Array { tensor, bytes }) => Some(weights_of(&self.path, &w, &bytes.numbers(&tensor)?, &xs)?),
            None => None,
        };
        Ok(Some(SplitArrays { rows: Rows { xs, ys, weights }, bytes }))
    }

    /// The targets of a split for a task, of a run that is scored for its outputs.
    fn targets(&self, name: &str, ys: &Tensor, ArrayUse { task, outputs }: ArrayUse) -> Result<Tensor> {
        let ys = match task {
            Task::Values | Task::Labels => values(ys)?,
            // As torch has it: a number a class is a probability for each of them.
            Task::Classes { probabilities: true, .. } if ys.rank() == 2 && ys.dims()[1] > 1 => values(ys)?,
            Task::Classes { ignored, .. } => class_numbers(&self.path, name, ys, ignored)?,
        };
        if ys.dtype() == DType::F64 {
            require_finite(&self.path, name, &ys)?;
        }
        outputs.map_or(Ok(()), |outputs| require_known(&self.path, name, &ys, outputs, task))?;
        Ok(ys)
    }

    fn classes(&self, all: [Option<&Rows>; 3], ignored: i64) -> Result<usize> {
        let mut largest = 0;
        for rows in all.into_iter().flatten() {
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

/// The rows of all splits, whose inputs are of one kind.
struct OneKind {
    train: Rows,
    validation: Option<Rows>,
    test: Option<Rows>,
    bytes: Bytes,
}

/// Small integers and booleans are numbers where the others are.
fn of_one_kind(
    train: SplitArrays,
    validation: Option<SplitArrays>,
    test: Option<SplitArrays>,
) -> Result<OneKind> {
    let kind = |split: &SplitArrays| (split.rows.xs.dtype() == DType::U8, split.bytes);
    let is_one = [&validation, &test].into_iter().flatten().all(|split| kind(split) == kind(&train));
    let bytes = if is_one { train.bytes } else { Bytes::Pixels };
    let rows = |SplitArrays { rows, bytes }: SplitArrays| -> Result<Rows> {
        if is_one { Ok(rows) } else { Ok(Rows { xs: bytes.numbers(&rows.xs)?, ..rows }) }
    };
    Ok(OneKind {
        train: rows(train)?,
        validation: validation.map(rows).transpose()?,
        test: test.map(rows).transpose()?,
        bytes,
    })
}
