//! The importance of a table's columns to a run.

use crate::data::preprocess::{Column, TableEncoder};
use crate::error::Result;
use crate::report::ColumnImportance;
use crate::trainer::{FeaturePlaces, HeldOut, permutation_importance};

/// Columns of more features than this are not looked at.
const MOST: usize = 2000;

/// The importance of the columns on these rows; none where a row is not one of a table.
pub(super) fn of(
    encoder: Option<&TableEncoder>,
    held_out: HeldOut<'_>,
    seed: u64,
) -> Result<Vec<ColumnImportance>> {
    let Some(encoder) = encoder else { return Ok(Vec::new()) };
    let features = encoder.features();
    if held_out.data.row_shape() != [features] || features > MOST {
        return Ok(Vec::new());
    }
    let found = permutation_importance(held_out, places(encoder), seed)?;
    let found =
        found.into_iter().map(|own| ColumnImportance { name: own.name, mean: own.mean, std: own.std });
    Ok(found.collect())
}

/// The places of each column: its numbers, then the number of its name behind the numbers of all columns.
fn places(encoder: &TableEncoder) -> Vec<FeaturePlaces> {
    let (mut dense, mut index) = (0, encoder.dense_width());
    let mut take = |column: &Column| {
        let (numbers, names) = (column.dense_width(), column.index_width());
        let places = (dense..dense + numbers).chain(index..index + names).collect();
        (dense, index) = (dense + numbers, index + names);
        FeaturePlaces { name: column.name.clone(), places }
    };
    let all: Vec<FeaturePlaces> = encoder.columns().map(&mut take).collect();
    all.into_iter().filter(|column| !column.places.is_empty()).collect()
}
