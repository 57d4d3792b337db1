//! Collects encoded rows in memory, or in a file if there are too many.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use rustc_hash::FxHashMap;

use crate::data::stored::{Form, StoredWriter};
use crate::data::{EncodedRows, Rows};
use crate::error::Result;

/// Collects the rows of one part.
pub(super) enum Collector {
    Memory(RowBuffer),
    File(Box<StoredWriter>),
}

/// Encoded rows in memory.
pub(super) struct RowBuffer {
    form: Form,
    xs: FeatureBuffer,
    values: Vec<f64>,
    classes: Vec<i64>,
    /// The weight of each row; empty where rows count alike.
    weights: Vec<f64>,
    rows: usize,
}

/// Features in the precision of the run.
enum FeatureBuffer {
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

    fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::F32(own), Self::F32(other)) => own.extend_from_slice(other),
            (Self::F64(own), Self::F64(other)) => own.extend_from_slice(other),
            (own, Self::F32(other)) => {
                own.extend(&other.iter().map(|number| f64::from(*number)).collect::<Vec<_>>());
            }
            (own, Self::F64(other)) => own.extend(other),
        }
    }

    /// Some of the numbers.
    fn range(&self, range: Range<usize>, numbers: &mut Vec<f64>) {
        numbers.clear();
        match self {
            Self::F32(own) => numbers.extend(own[range].iter().map(|number| f64::from(*number))),
            Self::F64(own) => numbers.extend_from_slice(&own[range]),
        }
    }

    fn tensor(self, shape: (usize, usize)) -> Result<Tensor> {
        Ok(match self {
            Self::F32(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu)?,
            Self::F64(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu)?,
        })
    }
}

impl RowBuffer {
    /// A buffer with room for `rows` rows.
    pub(super) fn new(form: Form, rows: usize) -> Self {
        Self {
            form,
            xs: FeatureBuffer::with_capacity(form.wide, rows * form.features),
            values: Vec::with_capacity(rows * form.targets),
            classes: Vec::new(),
            weights: Vec::new(),
            rows: 0,
        }
    }

    /// Adds a row: its features, and its target values or its class.
    pub(super) fn add(&mut self, features: &[f64], targets: &[f64], class: i64) {
        self.xs.extend(features);
        self.values.extend_from_slice(targets);
        if self.form.targets == 0 {
            self.classes.push(class);
        }
        self.rows += 1;
    }

    /// Says how much the row counts that was added last.
    pub(super) fn weigh(&mut self, weight: f64) {
        self.weights.push(weight);
    }

    fn write(&self, writer: &mut StoredWriter) -> Result<()> {
        let (width, targets) = (self.form.features, self.form.targets);
        let mut features = Vec::new();
        for row in 0..self.rows {
            self.xs.range(row * width..(row + 1) * width, &mut features);
            let class = self.classes.get(row).copied().unwrap_or(0);
            writer.add(&features, &self.values[row * targets..(row + 1) * targets], class)?;
        }
        writer.weigh(&self.weights);
        Ok(())
    }
}

impl Collector {
    /// A collector of about `rows` rows, in memory or in a file.
    pub(super) fn new(form: Form, rows: u64, in_memory: bool) -> Result<Self> {
        if !in_memory {
            return Ok(Self::File(Box::new(StoredWriter::create(form)?)));
        }
        Ok(Self::Memory(RowBuffer::new(form, usize::try_from(rows).unwrap_or(0))))
    }

    /// Adds rows behind the others.
    pub(super) fn append(&mut self, rows: &RowBuffer) -> Result<()> {
        match self {
            Self::File(writer) => rows.write(writer),
            Self::Memory(own) => {
                own.xs.append(&rows.xs);
                own.values.extend_from_slice(&rows.values);
                own.classes.extend_from_slice(&rows.classes);
                own.weights.extend_from_slice(&rows.weights);
                own.rows += rows.rows;
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
            Self::Memory(RowBuffer { rows: 0, .. }) => Ok(None),
            Self::Memory(RowBuffer { form, xs, values, classes, weights, rows }) => {
                let xs = xs.tensor((rows, form.features))?;
                let ys = if form.targets == 0 {
                    Tensor::from_vec(classes, rows, &Device::Cpu)?
                } else {
                    Tensor::from_vec(values, (rows, form.targets), &Device::Cpu)?
                };
                let weights = (!weights.is_empty()).then_some(weights);
                Ok(Some(EncodedRows::Memory(Rows { xs, ys, weights })))
            }
        }
    }
}

/// Counts held-out rows that duplicate a training row, by a hash of their features. Of very many rows a sample by hash is
/// kept, and the count extrapolated.
#[derive(Clone)]
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

    /// Adds rows that were counted apart.
    pub(super) fn append(&mut self, more: Self) {
        self.trained.extend(more.trained);
        self.others.extend(more.others);
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
    pub(super) fn count(self) -> u64 {
        let mut others: FxHashMap<u64, u64> = FxHashMap::default();
        for sum in self.others {
            *others.entry(sum).or_default() += 1;
        }
        if others.is_empty() {
            return 0;
        }
        let duplicates: u64 = self.trained.iter().filter_map(|sum| others.remove(sum)).sum();
        duplicates * self.every
    }
}

/// The layout of a row in this dtype.
pub(super) fn form(features: usize, targets: usize, dtype: DType) -> Form {
    Form { features, targets, wide: dtype == DType::F64 }
}
