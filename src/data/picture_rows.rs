//! The rows of pictures: their pixels and classes, by split.

use candle_core::{DType, Device, Tensor};

use super::Rows;
use super::picture_cache::SplitFiles;
use super::picture_folders::FoundPictures;
use super::split::Part;
use crate::error::Result;

/// Rows of pictures with the classes of their files.
fn rows_of(files: SplitFiles<'_>, xs: Tensor) -> Result<Rows> {
    let classes = files.iter().map(|(_, class)| i64::try_from(*class).unwrap_or(i64::MAX));
    let ys = Tensor::from_vec(classes.collect::<Vec<_>>(), files.len(), &Device::Cpu)?;
    Ok(Rows { xs, ys, weights: None })
}

/// The rows of each split.
pub(super) struct PictureRows {
    pub(super) train: Rows,
    pub(super) validation: Option<Rows>,
    pub(super) test: Option<Rows>,
}

impl PictureRows {
    /// The rows of the pictures that were found, whose pixels are `all`, a tensor for each part; nothing where none are to
    /// train on.
    pub(super) fn new(found: &FoundPictures, all: Vec<Tensor>) -> Result<Option<Self>> {
        let (mut train, mut validation, mut test) = (None, None, None);
        for ((part, own), xs) in found.parts().zip(all) {
            let rows = Some(rows_of(&own.files, xs)?);
            match part {
                Part::Test => test = rows,
                Part::Validation => validation = rows,
                Part::Train | Part::Unused => train = rows,
            }
        }
        Ok(train.map(|train| Self { train, validation, test }))
    }

    /// Rows of one type: numbers where a picture of any has 16 bits.
    pub(super) fn of_one_type(self) -> Result<Self> {
        let Self { train, validation, test } = self;
        let all = [Some(&train), validation.as_ref(), test.as_ref()];
        if all.into_iter().flatten().all(|rows| rows.xs.dtype() == DType::U8) {
            return Ok(Self { train, validation, test });
        }
        let numbers = |rows: Rows| -> Result<Rows> { Ok(Rows { xs: rows.xs.to_dtype(DType::F32)?, ..rows }) };
        let (validation, test) = (validation.map(numbers).transpose()?, test.map(numbers).transpose()?);
        Ok(Self { train: numbers(train)?, validation, test })
    }
}
