//! The range of the numbers of arrays in training, and numbers far outside it, for which a network's answer is arbitrary.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::data::bytes::Bytes;
use crate::error::Result;
use crate::names::{numbered_row, with_verb};
use crate::numbers::number;

/// Numbers this many times as far from those of training as these lie apart are far outside them.
const FAR: f64 = 10.0;
/// The factor between the largest number of training and the largest of other rows beyond which these are in another unit.
const SMALL: f64 = 100.0;
/// All numbers of fewer rows than this may well be small.
const FEW_ROWS: usize = 10;
/// Numbers that are looked at at a time.
const CHUNK: usize = 1 << 18;

/// The least and the largest number of the training rows, as their file has them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ElementRange {
    least: f64,
    most: f64,
}

impl ElementRange {
    /// The range of the elements of rows (N, …) with this meaning of their bytes; nothing of no elements.
    pub(super) fn of(xs: &Tensor, bytes: Bytes) -> Result<Option<Self>> {
        if xs.dtype() == DType::U8 && bytes == Bytes::Pixels {
            // What brightness can be; millions of pixels are not looked at for it.
            return Ok((xs.elem_count() > 0).then_some(Self { least: 0.0, most: 255.0 }));
        }
        let count = xs.elem_count();
        let (all, offset) = (xs.reshape(count)?, Self::offset(xs, bytes));
        let mut range: Option<Self> = None;
        for first in (0..count).step_by(CHUNK) {
            let chunk = all.narrow(0, first, CHUNK.min(count - first))?;
            let scalar =
                |own: Tensor| -> Result<f64> { Ok(own.to_dtype(DType::F64)?.to_scalar::<f64>()? + offset) };
            let (least, most) = (scalar(chunk.min(0)?)?, scalar(chunk.max(0)?)?);
            let own = range.unwrap_or(Self { least, most });
            range = Some(Self { least: own.least.min(least), most: own.most.max(most) });
        }
        Ok(range)
    }

    fn offset(xs: &Tensor, bytes: Bytes) -> f64 {
        if xs.dtype() == DType::U8 { bytes.offset() } else { 0.0 }
    }

    /// The largest absolute value.
    fn size(self) -> f64 {
        self.least.abs().max(self.most.abs())
    }

    /// A sentence about rows (N, …) whose numbers are in another unit than those of training, if they are.
    pub(super) fn doubt(self, xs: &Tensor, bytes: Bytes) -> Result<Option<String>> {
        let Some(own) = Self::of(xs, bytes)? else { return Ok(None) };
        let apart = self.most - self.least;
        let [low, high] = [self.least - FAR * apart, self.most + FAR * apart];
        let those =
            format!("those of training, which are from {} to {}", number(self.least), number(self.most));
        if apart > 0.0 && (own.least < low || own.most > high) {
            let Outside { count, first, row } = Outside::find(xs, Self::offset(xs, bytes), [low, high])?;
            return Ok(Some(format!(
                "{} far outside {those} (the first is {} in {}), for which a network's answer is arbitrary: bring them to the \
                 units of training, or correct them",
                with_verb(count as u64, "number", ["lies", "lie"]),
                number(first),
                numbered_row(row)
            )));
        }
        let is_small = xs.dims()[0] >= FEW_ROWS && own.size() > 0.0 && own.size() * SMALL < self.size();
        Ok(is_small.then(|| {
            let (least, most) = (number(own.least), number(own.most));
            format!(
                "all numbers are from {least} to {most}, less than a hundredth of {those}: bring them to the units of training, if \
                 they are in others"
            )
        }))
    }
}

/// Numbers outside bounds.
#[derive(Default)]
struct Outside {
    count: usize,
    first: f64,
    row: usize,
}

impl Outside {
    /// Finds those of rows (N, …), to whose elements `offset` is added.
    fn find(xs: &Tensor, offset: f64, [low, high]: [f64; 2]) -> Result<Self> {
        let (rows, mut found) = (xs.dims()[0], Self::default());
        let together = (CHUNK / (xs.elem_count() / rows.max(1)).max(1)).max(1);
        for start in (0..rows).step_by(together) {
            let chunk = xs.narrow(0, start, together.min(rows - start))?.flatten_from(1)?;
            for (row, numbers) in (start..).zip(chunk.to_dtype(DType::F64)?.to_vec2::<f64>()?) {
                let outside = numbers.iter().map(|x| x + offset).filter(|x| *x < low || *x > high);
                for x in outside {
                    if found.count == 0 {
                        (found.first, found.row) = (x, row);
                    }
                    found.count += 1;
                }
            }
        }
        Ok(found)
    }
}
