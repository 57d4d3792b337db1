//! Encodes the cells of a row as features and targets.

mod block;
mod extremes;
mod odd_cells;
mod warnings;

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use self::extremes::Extremes;
use self::odd_cells::OddCells;
use super::batch::RecordBatch;
use super::cell_features::CellFeatures;
use super::cell_problems::at;
use super::named;
use super::plain_number::PlainNumber;
use super::row::Cells;
use super::value::Value;
use crate::data::preprocess::{CellError, Column, Features, NameRule, Operation, TableEncoder, Target};
use crate::error::{Error, Result};

/// Scaled features beyond this are far outside those of training, if no training row has one: by mean and deviation none of ten
/// thousand has.
const FAR: f64 = 100.0;
/// The most numbers that the cells of a batch become before its rows are encoded.
const MOST_ENCODED: usize = 1 << 18;

/// Encodes the rows of one file.
#[derive(Debug, Clone)]
pub struct RowEncoder<'a> {
    path: PathBuf,
    target: &'a Target,
    columns: Vec<LocatedColumn<'a>>,
    /// The number of features of a row.
    width: usize,
    /// The indices of the targets in the file.
    targets: Option<Vec<usize>>,
    classes: FxHashMap<&'a str, usize>,
    names: NameRule,
    features: Features,
    /// Targets of held-out rows far outside those of training, by target.
    far_targets: Vec<Option<OddCells>>,
    /// The outermost targets of training rows.
    outer_targets: Vec<Extremes>,
}

/// A column and its position in the file.
#[derive(Debug, Clone)]
struct LocatedColumn<'a> {
    column: &'a Column,
    /// Its index in the file; an ignored column may be absent.
    index: Option<usize>,
    dense_width: usize,
    index_width: usize,
    /// The operations, where they make a number a feature.
    plain: Option<PlainNumber>,
    /// The cells of the batch that is encoded.
    cells: Option<CellFeatures>,
    /// The largest feature, without its sign, that is not far outside those of training.
    bound: f64,
    /// Names that training did not have.
    unseen: Option<OddCells>,
    /// Numbers far outside those of training.
    far: Option<OddCells>,
    /// Whether a training row has such a number itself.
    trains_far: bool,
    /// The outermost numbers of training rows.
    outer: Extremes,
}

impl<'a> RowEncoder<'a> {
    /// An encoder for a file whose columns may be in any order, with others among them. If `labelled`, the targets must be
    /// there too.
    ///
    /// # Errors
    /// A column is absent.
    pub fn new(fitted: &'a TableEncoder, path: &Path, columns: &[String], labelled: bool) -> Result<Self> {
        let places: FxHashMap<&str, usize> = columns.iter().map(String::as_str).zip(0..).collect();
        let index = |name: &str| places.get(name).copied();
        let used = fitted.columns().filter(|column| column.ignored.is_none());
        let needed = used.map(|column| column.name.as_str());
        let targets = fitted.target.names().iter().map(String::as_str).filter(|_| labelled);
        let absent: Vec<&str> = needed.chain(targets).filter(|name| index(name).is_none()).collect();
        if !absent.is_empty() {
            return Err(named::absent(path, &absent, columns));
        }
        let classes = match &fitted.target {
            Target::Classes { classes, .. } => classes.iter().map(String::as_str).zip(0..).collect(),
            _ => FxHashMap::default(),
        };
        Ok(Self {
            path: path.to_path_buf(),
            target: &fitted.target,
            columns: fitted.columns().map(|column| LocatedColumn::new(column, index(&column.name))).collect(),
            width: fitted.features(),
            targets: fitted.target.names().iter().map(|name| index(name)).collect(),
            classes,
            names: fitted.names,
            features: Features::default(),
            far_targets: vec![None; fitted.target.names().len()],
            outer_targets: vec![Extremes::default(); fitted.target.names().len()],
        })
    }

    /// Encodes the cells that several of the next `rows` rows have. All these are of `batch`.
    pub(super) fn begin_batch(&mut self, batch: &RecordBatch, rows: usize) {
        let mut room = MOST_ENCODED;
        for located in &mut self.columns {
            let cells =
                located.index.and_then(|index| CellFeatures::of(located.column, index, batch, rows, room));
            room -= cells.as_ref().map_or(0, CellFeatures::numbers);
            located.cells = cells;
        }
    }

    /// Forgets the cells of the batch.
    pub(super) fn end_batch(&mut self) {
        self.columns.iter_mut().for_each(|located| located.cells = None);
    }

    /// Writes the features of a row to `features`.
    pub fn features(&mut self, row: &impl Cells, features: &mut Vec<f64>) -> Result<()> {
        features.clear();
        // The numbers go straight to where they are wanted.
        self.features.dense = std::mem::take(features);
        self.features.indices.clear();
        let encoded = self.encode(row);
        *features = std::mem::take(&mut self.features.dense);
        encoded?;
        #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
        if features.iter().any(|number| !(*number as f32).is_finite()) {
            return Err(self.too_large(row));
        }
        features.extend_from_slice(&self.features.indices);
        Ok(())
    }

    fn encode(&mut self, row: &impl Cells) -> Result<()> {
        for located in &mut self.columns {
            let before = self.features.dense.len();
            if let (Some(plain), Some(number)) =
                (located.plain, located.index.and_then(|index| row.number(index)))
                && let Some(feature) = plain.apply(number)
            {
                if feature.abs() > located.bound {
                    located.see_far(row);
                }
                self.features.dense.push(feature);
                continue;
            }
            if let (Some(cells), Some(code)) =
                (&located.cells, located.index.and_then(|index| row.code(index)))
                && cells.apply(code, &mut self.features)
            {
                if located.is_far(&self.features.dense[before..]) {
                    located.see_far(row);
                }
                continue;
            }
            let cell = located.cell(row);
            match located.column.apply(cell, &mut self.features) {
                Ok(is_unseen) if is_unseen => located.see_unseen(row),
                Ok(_) if located.is_far(&self.features.dense[before..]) => located.see_far(row),
                Ok(_) => {}
                Err(error) => return Err(at(&self.path, row, &located.column.name, cell, error)),
            }
        }
        Ok(())
    }

    /// The error for a row with a number that f32 cannot hold after normalisation.
    fn too_large(&self, row: &impl Cells) -> Error {
        #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
        let large = |located: &&LocatedColumn<'_>| {
            let mut features = Features::default();
            let applied = located.column.apply(located.cell(row), &mut features);
            applied.is_ok() && features.dense.iter().any(|number| !(*number as f32).is_finite())
        };
        match self.columns.iter().find(large) {
            Some(located) => {
                at(&self.path, row, &located.column.name, located.cell(row), CellError::TooLarge)
            }
            None => Error::data(&self.path, format!("line {}: a number is too large", row.line())),
        }
    }

    /// The class of a row, or `ignored`.
    pub fn class(&self, row: &impl Cells, ignored: i64) -> Result<i64> {
        let name = &self.target.names()[0];
        let value = self.target(row, 0);
        let known = value.text().and_then(|text| self.classes.get(text).copied());
        #[allow(clippy::float_cmp, clippy::cast_precision_loss, reason = "a number in a file")]
        if known.is_none() && value.number() == Some(ignored as f64) {
            return Ok(ignored);
        }
        let known = known.or_else(|| self.classes.get(self.names.of(value)?.as_str()).copied());
        match known.and_then(|class| i64::try_from(class).ok()) {
            Some(class) => Ok(class),
            None if value == Value::Missing => {
                Err(at(&self.path, row, name, value, CellError::MissingTarget))
            }
            None => Err(at(&self.path, row, name, value, CellError::UnknownClass)),
        }
    }

    /// Writes the targets of a row to `targets`, in their own units.
    pub fn targets(&self, row: &impl Cells, targets: &mut Vec<f64>) -> Result<()> {
        targets.clear();
        for (index, name) in self.target.names().iter().enumerate() {
            if let Some(number) = self.plain_target(row, index) {
                targets.push(number);
                continue;
            }
            let value = self.target(row, index);
            let number = match self.target {
                Target::Labels { words, .. } => label(self.names.of(value), value, &words[index]),
                Target::Values { scale, .. } => {
                    let number = value.number().filter(|number| number.is_finite());
                    if number.is_some_and(|number| !scale.takes(number)) {
                        return Err(at(&self.path, row, name, value, CellError::NoLogarithm));
                    }
                    number
                }
                _ => value.number().filter(|number| number.is_finite()),
            };
            let Some(number) = number else {
                let problem =
                    if value == Value::Missing { CellError::MissingTarget } else { CellError::NotTarget };
                return Err(at(&self.path, row, name, value, problem));
            };
            targets.push(number);
        }
        Ok(())
    }

    /// The columns, counted among those of the encoder, whose cells of a row are missing.
    pub(super) fn missing<'r>(&'r self, row: &'r impl Cells) -> impl Iterator<Item = u32> + 'r {
        let missing = |located: &LocatedColumn<'_>| located.cell(row) == Value::Missing;
        (0..).zip(&self.columns).filter(move |(_, located)| missing(located)).map(|(column, _)| column)
    }

    /// Whether a target of a row is missing.
    pub(super) fn is_target_missing(&self, row: &impl Cells) -> bool {
        (0..self.target.width()).any(|index| self.target(row, index) == Value::Missing)
    }

    fn target<'r>(&self, row: &'r impl Cells, index: usize) -> Value<'r> {
        self.targets.as_ref().map_or(Value::Missing, |places| row.value(places[index]))
    }

    /// Whether a column of the file is a feature.
    pub(super) fn uses(&self, column: usize) -> bool {
        self.columns.iter().any(|located| located.index == Some(column) && located.column.ignored.is_none())
    }

    /// Whether a column of the file is a feature by more than the numbers of its cells.
    pub(super) fn needs_text(&self, column: usize) -> bool {
        let is_number = |column: &Column| matches!(column.operations.first(), Some(Operation::Number));
        let needs =
            |located: &&LocatedColumn<'_>| located.index == Some(column) && !is_number(located.column);
        self.columns.iter().find(needs).is_some_and(|located| located.column.ignored.is_none())
    }
}

impl<'a> LocatedColumn<'a> {
    /// A column at this index in the file.
    fn new(column: &'a Column, index: Option<usize>) -> Self {
        Self {
            column,
            index,
            dense_width: column.dense_width(),
            index_width: column.index_width(),
            plain: PlainNumber::of(column),
            cells: None,
            bound: if column.is_scaled_without_bound() { FAR } else { f64::INFINITY },
            unseen: None,
            far: None,
            trains_far: false,
            outer: Extremes::default(),
        }
    }

    fn cell<'r>(&self, row: &'r impl Cells) -> Value<'r> {
        self.index.map_or(Value::Missing, |index| row.value(index))
    }
}

/// A label as a number: one of two words, or a number from 0 to 1.
fn label(name: Option<String>, value: Value<'_>, [no, yes]: &[String; 2]) -> Option<f64> {
    match name? {
        name if name == *yes => Some(1.0),
        name if name == *no => Some(0.0),
        _ => value.number().filter(|number| (0.0..=1.0).contains(number)),
    }
}
