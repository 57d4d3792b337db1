//! Rows in memory, split.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use super::{Assigner, Limited, Part, SplitPlan, SplitSizes, Strata, Stratum, TimeSplit};
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
    /// The effect of the limit, if there is one.
    pub limited: Option<Limited>,
}

impl SplitRows {
    /// Splits rows at random, the same share of every class.
    ///
    /// # Errors
    /// A share, a fold or a limit that leaves a part without rows.
    pub fn at_random(rows: &Rows, plan: &SplitPlan, task: Task, seed: u64) -> Result<Self> {
        let count = rows.xs.dims()[0];
        plan.check_bag(count as u64)?;
        if !plan.holds_out() && plan.limit.is_none_or(|limit| limit >= count as u64) {
            return Ok(Self { train: between(rows, 0..count)?, validation: None, test: None, limited: None });
        }
        let Stratified { strata, counts } = strata(rows, task)?;
        let mut assigner = Assigner::new(plan, &counts, seed)?;
        let limited = assigner.limited();
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
        let (train, validation, test) = (pick(rows, &train)?, held(&validation)?, held(&test)?);
        Ok(Self { train, validation, test, limited })
    }

    /// Splits rows in time order.
    ///
    /// # Errors
    /// A share, a fold or a limit that leaves a part without rows.
    pub fn by_time(rows: &Rows, plan: &SplitPlan) -> Result<Self> {
        let count = rows.xs.dims()[0];
        let split = TimeSplit::new(plan, count);
        let limited = split.limited();
        let TimeSplit { train, validation, test } = split;
        let size = |part: &Range<usize>| part.len() as u64;
        let sizes = SplitSizes { train: size(&train), validation: size(&validation), test: size(&test) };
        sizes.check(plan, count as u64)?;
        let held = |part: Range<usize>| (!part.is_empty()).then(|| between(rows, part)).transpose();
        let (train, validation, test) = (between(rows, train)?, held(validation)?, held(test)?);
        Ok(Self { train, validation, test, limited })
    }
}

/// The strata of rows.
struct Stratified {
    /// The stratum of each row.
    strata: Vec<Stratum>,
    /// The number of rows of each stratum.
    counts: Vec<u64>,
}

/// Strata by class, or by the two values of one binary label.
fn strata(rows: &Rows, task: Task) -> Result<Stratified> {
    let count = rows.xs.dims()[0];
    let mut counts = Strata::default();
    let strata: Vec<Stratum> = match task {
        Task::Classes { .. } => class_of(&rows.ys)?.into_iter().map(|class| counts.add(class)).collect(),
        Task::Labels if rows.ys.elem_count() == count => {
            let labels = rows.ys.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            // -0 is 0.
            labels.into_iter().map(|label| counts.add((label + 0.0).to_bits().cast_signed())).collect()
        }
        Task::Values | Task::Labels => (0..count).map(|_| counts.add(0)).collect(),
    };
    if task == Task::Labels && counts.counts().len() > 2 {
        return Ok(Stratified { strata: vec![0; count], counts: vec![count as u64] });
    }
    Ok(Stratified { strata, counts: counts.counts().to_vec() })
}

fn between(rows: &Rows, part: Range<usize>) -> Result<Rows> {
    let narrow = |tensor: &Tensor| tensor.narrow(0, part.start, part.len());
    let weights = rows.weights.as_ref().map(|weights| weights[part.clone()].to_vec());
    Ok(Rows { xs: narrow(&rows.xs)?, ys: narrow(&rows.ys)?, weights })
}

fn pick(rows: &Rows, places: &[u32]) -> Result<Rows> {
    let pick = |weights: &Vec<f64>| places.iter().map(|place| weights[*place as usize]).collect();
    let weights = rows.weights.as_ref().map(pick);
    let places = Tensor::new(places, &Device::Cpu)?;
    Ok(Rows { xs: rows.xs.index_select(&places, 0)?, ys: rows.ys.index_select(&places, 0)?, weights })
}
