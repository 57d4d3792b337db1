//! Collects encoded rows in memory, or in a file if there are too many.

use candle_core::{DType, Device, Tensor};

use crate::data::stored::{Form, StoredWriter};
use crate::data::{EncodedRows, Rows};
use crate::error::Result;

/// Collects the rows of one part.
pub(super) enum Collector {
    Memory { form: Form, xs: FeatureBuffer, values: Vec<f64>, classes: Vec<i64>, rows: usize },
    File(Box<StoredWriter>),
}

/// Features in the precision of the run.
pub(super) enum FeatureBuffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl FeatureBuffer {
    fn with_capacity(wide: bool, count: usize) -> Self {
        if wide { Self::F64(Vec::with_capacity(count)) } else { Self::F32(Vec::with_capacity(count)) }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the run's precision")]
    fn extend(&mut self, numbers: &[f64]) {
        match self {
            Self::F32(own) => own.extend(numbers.iter().map(|number| *number as f32)),
            Self::F64(own) => own.extend_from_slice(numbers),
        }
    }

    fn tensor(self, shape: (usize, usize)) -> Result<Tensor> {
        Ok(match self {
            Self::F32(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu)?,
            Self::F64(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu)?,
        })
    }
}

impl Collector {
    /// A collector of about `rows` rows, in memory or in a file.
    pub(super) fn new(form: Form, rows: u64, in_memory: bool) -> Result<Self> {
        if !in_memory {
            return Ok(Self::File(Box::new(StoredWriter::create(form)?)));
        }
        let count = usize::try_from(rows).unwrap_or(0);
        Ok(Self::Memory {
            form,
            xs: FeatureBuffer::with_capacity(form.wide, count * form.features),
            values: Vec::with_capacity(count * form.targets),
            classes: Vec::new(),
            rows: 0,
        })
    }

    /// Adds a row: its features, and its target values or its class.
    pub(super) fn add(&mut self, features: &[f64], targets: &[f64], class: i64) -> Result<()> {
        match self {
            Self::File(writer) => writer.add(features, targets, class),
            Self::Memory { form, xs, values, classes, rows } => {
                xs.extend(features);
                values.extend_from_slice(targets);
                if form.targets == 0 {
                    classes.push(class);
                }
                *rows += 1;
                Ok(())
            }
        }
    }

    /// The rows, if there are any.
    pub(super) fn finish(self) -> Result<Option<EncodedRows>> {
        match self {
            Self::File(writer) => {
                let stored = writer.finish()?;
                Ok((!stored.is_empty()).then_some(EncodedRows::File(stored)))
            }
            Self::Memory { rows: 0, .. } => Ok(None),
            Self::Memory { form, xs, values, classes, rows } => {
                let xs = xs.tensor((rows, form.features))?;
                let ys = if form.targets == 0 {
                    Tensor::from_vec(classes, rows, &Device::Cpu)?
                } else {
                    Tensor::from_vec(values, (rows, form.targets), &Device::Cpu)?
                };
                Ok(Some(EncodedRows::Memory(Rows { xs, ys })))
            }
        }
    }
}

/// Counts held-out rows that duplicate a training row, by a hash of their features. Of very many rows a sample by hash is
/// kept, and the count extrapolated.
pub(super) struct Duplicates {
    trained: Vec<u64>,
    others: Vec<u64>,
    every: u64,
}

impl Duplicates {
    const MOST: u64 = 4_000_000;

    pub(super) fn new(rows: u64) -> Self {
        Self { trained: Vec::new(), others: Vec::new(), every: rows.div_ceil(Self::MOST).max(1) }
    }

    pub(super) fn add(&mut self, features: &[f64], trained: bool) {
        use std::hash::Hasher;
        let mut hasher = rustc_hash::FxHasher::default();
        for number in features {
            hasher.write_u64(number.to_bits());
        }
        let sum = hasher.finish();
        if sum.is_multiple_of(self.every) {
            if trained { self.trained.push(sum) } else { self.others.push(sum) }
        }
    }

    /// The number of held-out rows that duplicate a training row.
    pub(super) fn count(mut self) -> u64 {
        self.trained.sort_unstable();
        let duplicates = self.others.iter().filter(|sum| self.trained.binary_search(sum).is_ok()).count();
        duplicates as u64 * self.every
    }
}

/// The layout of a row in this dtype.
pub(super) fn form(features: usize, targets: usize, dtype: DType) -> Form {
    Form { features, targets, wide: dtype == DType::F64 }
}
