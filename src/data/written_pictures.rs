//! The file of each picture of a split.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::class_folders::ClassFolders;
use super::split::{Part, SplitRows};
use super::{Request, Rows, WrittenRow};
use crate::error::Result;

/// The files below `root` of the pictures with these numbers in a part, which is split by a share.
pub(super) fn split(
    root: &Path,
    found: &ClassFolders,
    request: &Request<'_>,
    test_share: f64,
    part: Part,
    numbers: &[usize],
) -> Result<Vec<WrittenRow>> {
    let count = found.files.len();
    let places: Vec<i64> = (0..).take(count).collect();
    let classes: Vec<i64> = found.files.iter().filter_map(|(_, class)| i64::try_from(*class).ok()).collect();
    // The places of the pictures are split as their pixels are.
    let rows = Rows {
        xs: Tensor::from_vec(places, count, &Device::Cpu)?,
        ys: Tensor::from_vec(classes, count, &Device::Cpu)?,
        weights: None,
    };
    let plan = request.split_plan(test_share);
    let splits = SplitRows::at_random(&rows, &plan, request.task, request.seed)?;
    let own = match part {
        Part::Train => Some(splits.train),
        Part::Validation => splits.validation,
        Part::Test => splits.test,
        Part::Unused => None,
    };
    let Some(own) = own else { return Ok(Vec::new()) };
    let places = own.xs.to_vec1::<i64>()?;
    let place = |number: &usize| usize::try_from(*places.get(*number)?).ok();
    Ok(numbers.iter().filter_map(|number| written(root, found, *number, place(number)?)).collect())
}

/// The files below `root` of the pictures with these numbers, where all of them are one part.
pub(super) fn whole(root: &Path, found: &ClassFolders, numbers: &[usize]) -> Vec<WrittenRow> {
    numbers.iter().filter_map(|number| written(root, found, *number, *number)).collect()
}

/// The picture with this number in its part, and this place among all.
fn written(root: &Path, found: &ClassFolders, number: usize, place: usize) -> Option<WrittenRow> {
    let (file, _) = found.files.get(place)?;
    let place = file.strip_prefix(root).unwrap_or(file).display().to_string();
    Some(WrittenRow { number, place, cells: Vec::new(), targets: Vec::new() })
}
