//! From a source's rows to the data sets of a run: split, reshaped, normalised.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::bytes::Bytes;
use super::memory::MemoryLimit;
use super::pictures::Pictures;
use super::preprocess::{Elements, Preprocessing, PreprocessingSource, ScaledInputs, Step, TargetScale};
use super::split::{Bag, Limited, RULES, SplitRows};
use super::{
    Dataset, Decision, EncodedRows, EncodedSplits, Loaded, Preparation, RawRows, Request, Rows, TargetInfo,
    Task, Threshold, array_targets,
};
use crate::error::{Error, Result};
use crate::registry::KeyError;

/// The data of a run.
#[derive(Debug, Clone)]
pub struct Splits {
    /// The training split.
    pub train: Dataset,
    /// The validation split, if any.
    pub validation: Option<Dataset>,
    /// The test split, if any.
    pub test: Option<Dataset>,
    /// The number of classes, or of target values.
    pub outputs: usize,
    /// The preprocessing fitted on the training rows.
    pub preprocessing: Preprocessing,
}

impl Splits {
    /// The same rows, with a description of their targets.
    fn with_target_info(self, info: TargetInfo) -> Self {
        let info = Arc::new(info);
        let named = |data: Dataset| data.with_target_info(info.clone());
        Self {
            train: named(self.train),
            validation: self.validation.map(named),
            test: self.test.map(named),
            preprocessing: Preprocessing { decision: info.decision(), ..self.preprocessing },
            ..self
        }
    }

    /// The same rows; those whose probability reaches the threshold are predicted as the positive class.
    pub fn with_decision(self, decision: Decision) -> Self {
        let info = TargetInfo { threshold: Some(decision.threshold), ..self.train.target_info().clone() };
        self.with_target_info(info)
    }
}

impl Preparation {
    /// Splits, reshapes and normalises the rows of a source, and moves them to `device`.
    pub fn prepare(&self, loaded: Loaded, request: &Request<'_>, device: &Device) -> Result<Splits> {
        let Splits { train, validation, test, outputs, preprocessing } = match loaded {
            Loaded::Raw(raw) => self.split(raw, request, device)?,
            Loaded::Encoded(encoded) => self.gather(*encoded, request, device)?,
        };
        let is_chosen = self.bag.is_some_and(Bag::is_whole);
        if self.threshold == Some(Threshold::F1) && validation.is_none() && !is_chosen {
            let problem =
                "is \"f1\", which is chosen on validation rows, and there are none; set `data.validation`";
            return Err(Error::key("data.threshold", problem));
        }
        let info = self.target_info(request.task, &preprocessing).map_err(|e| Error::Key(e.under("data")))?;
        let splits = Splits { train, validation, test, outputs, preprocessing };
        Ok(splits.with_target_info(info))
    }

    /// The names of classes and targets, and the positive one of two classes.
    fn target_info(&self, task: Task, preprocessing: &Preprocessing) -> Result<TargetInfo, KeyError> {
        let count = match task {
            Task::Classes { .. } => preprocessing.outputs,
            Task::Labels if preprocessing.outputs == 1 => 2,
            Task::Labels | Task::Values => 0,
        };
        let named = preprocessing.class_names().filter(|names| names.len() == count);
        let classes =
            named.map_or_else(|| (0..count).map(|class| class.to_string()).collect(), <[String]>::to_vec);
        let targets =
            preprocessing.table().map(|encoder| encoder.target.names().to_vec()).unwrap_or_default();
        let steps = preprocessing.horizon();
        let steps = if steps.len() > 1 { steps.to_vec() } else { Vec::new() };
        let info = TargetInfo { classes, targets, steps, ..TargetInfo::default() };
        let info = match &self.positive {
            Some(name) => info.with_positive(name)?,
            None => info,
        };
        self.threshold.map_or(Ok(info.clone()), |threshold| info.with_threshold(threshold))
    }

    /// Splits, reshapes and normalises raw rows.
    fn split(&self, raw: RawRows, request: &Request<'_>, device: &Device) -> Result<Splits> {
        let RawRows { test_share, outputs, ordered, pictures, bytes, room, .. } = raw;
        let (train, own_validation, own_test) = (raw.train, raw.validation, raw.test);
        if request.fitted.is_none() {
            self.check_validation(own_validation.as_ref())?;
        }
        let plan = request.split_plan(test_share);
        let SplitRows { train, validation, test, limited } = if ordered {
            SplitRows::by_time(&train, &plan)?
        } else {
            SplitRows::at_random(&train, &plan, request.task, request.seed)?
        };
        let (validation, test) = (validation.or(own_validation), test.or(own_test));
        limited.filter(|_| request.fitted.is_none()).into_iter().for_each(Limited::log);
        let shape = |rows: Rows| self.shaped(rows, request);
        let train = shape(train)?;
        let unit = if pictures.is_some() || are_pixels(&train, bytes) { 1.0 / 255.0 } else { 1.0 };
        let elements = if let Some(elements) = request.fitted.and_then(Preprocessing::elements) {
            elements.clone()
        } else {
            if self.normalize.is_fitted() {
                require_room(room, [Some(&train), validation.as_ref(), test.as_ref()], request.dtype)?;
            }
            self.normalize.fit(&train, bytes, unit)?.with_range_of(&train.xs, bytes)?
        };
        warn_of_far(&elements, bytes, [request.fitted.map(|_| &train), validation.as_ref(), test.as_ref()])?;
        let target = array_targets::fit(self, request, &train)?;
        let dataset = |rows: Rows| -> Result<Dataset> {
            let units = array_targets::units(target.as_ref(), &rows)?;
            let ScaledInputs { xs, affine } = scaled(&elements, bytes, &rows.xs, request.dtype)?;
            let data = Dataset::new(&xs, &rows.ys, affine, request.dtype, device)?;
            data.with_weights(rows.weights).with_units(units)
        };
        let others = |rows: Option<Rows>| rows.map(|rows| dataset(shape(rows)?)).transpose();
        let (validation, test, train) = (others(validation)?, others(test)?, dataset(train)?);
        let row = train.row_shape().to_vec();
        let source = source(pictures, Step::Elements(elements), target);
        let preprocessing = Preprocessing { row, outputs, split_rules: RULES, decision: None, source };
        Ok(Splits { train, validation, test, outputs, preprocessing })
    }

    /// Rows in the shape that the network takes.
    fn shaped(&self, rows: Rows, request: &Request<'_>) -> Result<Rows> {
        let row = self.row_shape(&rows.xs.dims()[1..], request.input)?;
        Ok(Rows { xs: rows.xs.reshape([&[rows.xs.dims()[0]], row.as_slice()].concat())?, ..rows })
    }

    /// Checks that validation rows do not come from two places.
    fn check_validation(&self, own: Option<&Rows>) -> Result<()> {
        if own.is_some() && self.validation > 0.0 {
            let problem = "cannot be used where the data has validation rows of its own, as `x_val` or a folder `val`; leave it out";
            return Err(Error::key("data.validation", problem));
        }
        if own.is_some() && self.bag.is_some() {
            let problem =
                "cannot be used where the data has validation rows of its own, as `x_val` or a folder `val`";
            return Err(Error::key("data.bag", problem));
        }
        Ok(())
    }

    /// Reshapes rows that the source has split and encoded.
    fn gather(&self, encoded: EncodedSplits, request: &Request<'_>, device: &Device) -> Result<Splits> {
        let EncodedSplits { train, validation, test, outputs, source } = encoded;
        let mut preprocessing =
            Preprocessing { row: Vec::new(), outputs, split_rules: RULES, decision: None, source };
        let (units, subtract) = (preprocessing.units(), preprocessing.subtract_last());
        let dataset = |rows: EncodedRows| -> Result<Dataset> {
            let data = Dataset::of_encoded(rows, subtract.clone(), request.dtype, device)?;
            let row = self.row_shape(data.row_shape(), request.input)?;
            data.with_row_shape(&row).with_units(units.clone())
        };
        let train = dataset(train)?;
        preprocessing.row = train.row_shape().to_vec();
        Ok(Splits {
            validation: validation.map(dataset).transpose()?,
            test: test.map(dataset).transpose()?,
            train,
            outputs,
            preprocessing,
        })
    }
}

/// The preprocessing of pictures, or of other arrays.
fn source(pictures: Option<Pictures>, elements: Step, target: Option<TargetScale>) -> PreprocessingSource {
    match pictures {
        Some(pictures) => pictures.source(elements),
        None => PreprocessingSource::Arrays { elements, target },
    }
}

/// Whether rows are bytes of brightness.
fn are_pixels(rows: &Rows, bytes: Bytes) -> bool {
    rows.xs.dtype() == DType::U8 && bytes == Bytes::Pixels
}

/// Warns of rows whose inputs are in another unit than those of training: rows to score, to validate on and to test on.
fn warn_of_far(elements: &Elements, bytes: Bytes, all: [Option<&Rows>; 3]) -> Result<()> {
    for (name, rows) in ["rows to score", "validation rows", "test rows"].into_iter().zip(all) {
        let doubt = rows.map_or(Ok(None), |rows| elements.doubt(&rows.xs, bytes))?;
        if let Some(doubt) = doubt {
            tracing::warn!("{name}: {doubt}");
        }
    }
    Ok(())
}

/// An error if these rows do not fit into the rest of the memory as numbers, which a fitted normalisation makes of them.
fn require_room(room: MemoryLimit, all: [Option<&Rows>; 3], dtype: DType) -> Result<()> {
    let count: usize = all.into_iter().flatten().map(|rows| rows.xs.elem_count()).sum();
    room.check((count as u64).checked_mul(dtype.size_in_bytes() as u64)).map_err(|problem| {
        let problem = format!("makes numbers of the inputs, and that {problem}; \"none\" needs no more");
        Error::key("data.normalize", problem)
    })
}

fn scaled(elements: &Elements, bytes: Bytes, xs: &Tensor, dtype: DType) -> Result<ScaledInputs> {
    if elements.offset.is_empty() {
        return elements.scaled_inputs(xs, bytes);
    }
    Ok(ScaledInputs { xs: elements.fitted_as(xs, bytes, dtype)?, affine: elements.batch_affine() })
}
