//! Rows in memory that are held out: a share for validation, or a fold to test on.

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;

use super::split::{Fold, share};
use super::{Preparation, Rows, Want, class_of, order};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};

impl Preparation {
    /// Holds out `validation` of the rows, drawn by the seed; of classes the same share each, of a series the end.
    pub(super) fn hold_out(
        &self,
        rows: Rows,
        want: Want,
        ordered: bool,
        seed: u64,
    ) -> Result<(Rows, Option<Rows>)> {
        if self.validation == 0.0 {
            return Ok((rows, None));
        }
        let count = rows.xs.dims()[0];
        let groups = groups(&rows.ys, want)?;
        let mut held_out = vec![false; count];
        for (index, mut group) in groups.into_iter().enumerate() {
            if ordered {
                group.reverse();
            } else {
                group.shuffle(&mut Stream::new(seed, Purpose::Split, index as u64));
            }
            let share = usize::try_from(share(self.validation, group.len() as u64)).unwrap_or(usize::MAX);
            group[..share].iter().for_each(|row| held_out[*row as usize] = true);
        }
        let (validation, train) = parted(&held_out);
        if validation.is_empty() || train.is_empty() {
            return Err(Error::key(
                "data.validation",
                format!(
                    "is {}: of {count} rows it leaves {} to train on and {} to validate; change the share",
                    self.validation,
                    train.len(),
                    validation.len()
                ),
            ));
        }
        Ok((pick(&rows, &train)?, Some(pick(&rows, &validation)?)))
    }
}

/// The rows of each class, or all rows where they have none.
fn groups(ys: &Tensor, want: Want) -> Result<Vec<Vec<u32>>> {
    Ok(match want {
        Want::Values | Want::Labels => vec![order(ys.dims()[0], false, 0, 0)],
        Want::Classes { .. } => by_class(&class_of(ys)?),
    })
}

/// The rows that are marked, and the others.
fn parted(marked: &[bool]) -> (Vec<u32>, Vec<u32>) {
    order(marked.len(), false, 0, 0).into_iter().partition(|row| marked[*row as usize])
}

fn pick(rows: &Rows, indices: &[u32]) -> Result<Rows> {
    let indices = Tensor::new(indices, &Device::Cpu)?;
    Ok(Rows { xs: rows.xs.index_select(&indices, 0)?, ys: rows.ys.index_select(&indices, 0)? })
}

/// The rows to train on and those to test on of a fold: of classes the same share each; of a series the rows up to a
/// time, and those that follow, as scikit-learn's TimeSeriesSplit.
pub(super) fn fold_out(
    rows: &Rows,
    fold: Fold,
    (want, ordered): (Want, bool),
    seed: u64,
) -> Result<(Rows, Rows)> {
    let count = rows.xs.dims()[0];
    let of = usize::try_from(fold.of).unwrap_or(usize::MAX);
    let index = usize::try_from(fold.index - 1).unwrap_or(usize::MAX);
    if count < of.saturating_add(1) {
        return Err(Error::key("data.fold", format!("needs more than {of} rows, and there are {count}")));
    }
    if ordered {
        let each = count / (of + 1);
        let start = count - each * (of - index);
        return Ok((
            pick(rows, &order(start, false, 0, 0))?,
            pick(
                rows,
                &(start..start + each).map(|row| u32::try_from(row).unwrap_or(u32::MAX)).collect::<Vec<_>>(),
            )?,
        ));
    }
    let mut held_out = vec![false; count];
    let mut next = 0;
    for (class, mut group) in groups(&rows.ys, want)?.into_iter().enumerate() {
        group.shuffle(&mut Stream::new(seed, Purpose::Split, (1 << 32) | class as u64));
        for row in group {
            held_out[row as usize] = next % of == index;
            next += 1;
        }
    }
    let (test, train) = parted(&held_out);
    Ok((pick(rows, &train)?, pick(rows, &test)?))
}

fn by_class(labels: &[i64]) -> Vec<Vec<u32>> {
    let mut groups = std::collections::BTreeMap::<i64, Vec<u32>>::new();
    for (row, label) in order(labels.len(), false, 0, 0).into_iter().zip(labels) {
        groups.entry(*label).or_default().push(row);
    }
    groups.into_values().collect()
}
