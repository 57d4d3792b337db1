//! Rows in memory, split.

use std::ops::Range;

use candle_core::{Device, Tensor};

use super::{Assigner, Part, Sizes, SplitPlan, Strata, Stratum, TimeSplit};
use crate::data::{Rows, Task, class_of};
use crate::error::Result;

/// Rows in memory in their parts.
#[derive(Debug)]
pub struct SplitRows {
    /// The rows to train on.
    pub train: Rows,
    /// The rows that judge the epochs.
    pub validation: Option<Rows>,
    /// The rows that judge the end.
    pub test: Option<Rows>,
}

impl SplitRows {
    /// Splits rows at random, the same share of every class.
    ///
    /// # Errors
    /// A share, a fold or a limit that leaves a part without rows.
    pub fn at_random(rows: &Rows, plan: &SplitPlan, task: Task, seed: u64) -> Result<Self> {
        let count = rows.xs.dims()[0];
        if !plan.holds_out() {
            let kept = plan.limit.map_or(count, |limit| usize::try_from(limit).unwrap_or(count).min(count));
            return Ok(Self { train: between(rows, 0..kept)?, validation: None, test: None });
        }
        let mut counts = Strata::default();
        let strata: Vec<Stratum> = match task {
            Task::Values | Task::Labels => (0..count).map(|_| counts.add(0)).collect(),
            Task::Classes { .. } => class_of(&rows.ys)?.into_iter().map(|class| counts.add(class)).collect(),
        };
        let mut assigner = Assigner::new(plan, counts.counts(), seed, |see| {
            let _ = strata.iter().all(|stratum| see(*stratum));
            Ok(())
        })?;
        let (mut train, mut validation, mut test) = (Vec::new(), Vec::new(), Vec::new());
        for (row, stratum) in (0..).zip(strata) {
            match assigner.assign(stratum) {
                Part::Train => train.push(row),
                Part::Validation => validation.push(row),
                Part::Test => test.push(row),
                Part::Unused => {}
            }
        }
        let held = |places: &[u32]| (!places.is_empty()).then(|| pick(rows, places)).transpose();
        Ok(Self { train: pick(rows, &train)?, validation: held(&validation)?, test: held(&test)? })
    }

    /// Splits rows in time order.
    ///
    /// # Errors
    /// A share, a fold or a limit that leaves a part without rows.
    pub fn by_time(rows: &Rows, plan: &SplitPlan) -> Result<Self> {
        let count = rows.xs.dims()[0];
        let TimeSplit { train, validation, test } = TimeSplit::new(plan, count);
        let size = |part: &Range<usize>| part.len() as u64;
        let sizes = Sizes { train: size(&train), validation: size(&validation), test: size(&test) };
        sizes.check(plan, count as u64)?;
        let held = |part: Range<usize>| (!part.is_empty()).then(|| between(rows, part)).transpose();
        Ok(Self { train: between(rows, train)?, validation: held(validation)?, test: held(test)? })
    }
}

fn between(rows: &Rows, part: Range<usize>) -> Result<Rows> {
    let narrow = |tensor: &Tensor| tensor.narrow(0, part.start, part.len());
    Ok(Rows { xs: narrow(&rows.xs)?, ys: narrow(&rows.ys)? })
}

fn pick(rows: &Rows, places: &[u32]) -> Result<Rows> {
    let places = Tensor::new(places, &Device::Cpu)?;
    Ok(Rows { xs: rows.xs.index_select(&places, 0)?, ys: rows.ys.index_select(&places, 0)? })
}
