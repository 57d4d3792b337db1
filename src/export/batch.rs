//! A test batch: rows that are made up from what was fitted, and the answers to them. It needs no data, has unknown names
//! and missing cells where these are no error, and is the same at every export.

use candle_core::{DType, Device, Tensor};

use super::arrays::{Elements, NamedArray};
use super::inputs::{CellKind, ColumnInput, Inputs, TENSOR};
use super::model::TrainedModel;
use super::outputs::{LABEL, PREDICTION, PROBABILITIES, STD, integers};
use crate::data::preprocess::{
    self, Categories, Column, Features, MissingName, Operation, Preprocessing, PreprocessingSource,
    makes_zero,
};
use crate::data::table::value::Value;
use crate::error::Result;
use crate::run::{Cell, Columns};

/// The rows of the batch.
pub(super) const ROWS: usize = 16;

/// Inputs and the outputs that are expected for them.
pub(super) struct TestBatch {
    /// One array an input.
    pub(super) inputs: Vec<NamedArray>,
    /// One array an output.
    pub(super) outputs: Vec<NamedArray>,
}

impl TestBatch {
    /// The batch for these inputs of a model.
    pub(super) fn new(model: &TrainedModel, inputs: &Inputs<'_>) -> Result<Self> {
        let rows = match inputs {
            Inputs::Array { shape } => array(model.preprocessing(), shape)?,
            Inputs::Table(columns) => table(columns, None)?,
            Inputs::Series { window, columns } => table(columns, Some(*window))?,
        };
        let scores = model.predictor.scores_with_deviation(&rows.features)?;
        Ok(Self { inputs: rows.arrays, outputs: answers(model, &scores)? })
    }
}

/// Made-up rows.
struct Rows {
    arrays: Vec<NamedArray>,
    /// What the preprocessing makes of them, (N, …).
    features: Tensor,
}

/// The days since 1970-01-01 of dates that every tool reads: in the years 1 and 9999.
const FIRST_DAY: f64 = -719_000.0;
const LAST_DAY: f64 = 2_932_800.0;

/// Numbers between -2 and 2 that look random, by their place.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn draw(row: usize, column: usize) -> f64 {
    let x = (row as f64 + 1.0) * 0.618_033_988_749_895 + (column as f64 + 1.0) * 0.754_877_666_246_693;
    x.fract() * 4.0 - 2.0
}

/// Arrays, or pictures.
#[allow(clippy::cast_possible_truncation, reason = "the input is in f32")]
fn array(preprocessing: &Preprocessing, shape: &[usize]) -> Result<Rows> {
    let width: usize = shape.iter().product();
    let identity = preprocess::Elements::affine(1.0, 0.0);
    let elements = preprocessing.elements().unwrap_or(&identity);
    let is_picture = matches!(preprocessing.source, PreprocessingSource::Images { .. });
    let row = |row: usize| -> Vec<f32> {
        let drawn: Vec<f64> = (0..width).map(|column| draw(row, column)).collect();
        if is_picture {
            return drawn.iter().map(|x| ((x + 2.0) * 63.75).round() as f32).collect();
        }
        elements.invert(&drawn).into_iter().map(|x| x as f32).collect()
    };
    let numbers: Vec<f32> = (0..ROWS).flat_map(row).collect();
    let dims = [&[ROWS], shape].concat();
    let features = elements.apply(&Tensor::from_slice(&numbers, dims.as_slice(), &Device::Cpu)?)?;
    Ok(Rows { arrays: vec![NamedArray::new(TENSOR, &dims, Elements::Single(numbers))], features })
}

/// A column's cells.
enum Cells {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// Tables, or windows of so many steps.
fn table(columns: &[ColumnInput<'_>], window: Option<usize>) -> Result<Rows> {
    let steps = window.unwrap_or(1);
    let made: Vec<Cells> =
        (0..).zip(columns).map(|(place, input)| cells(input, place, ROWS * steps)).collect();
    let mut numbers = Vec::new();
    for row in 0..ROWS * steps {
        let mut features = Features::default();
        for (input, cells) in columns.iter().zip(&made) {
            // What is no error was chosen.
            let _ = input.column.apply(value(input.kind, cells, row), &mut features);
        }
        numbers.extend(features.dense);
        numbers.extend(features.indices);
    }
    let width = numbers.len() / ROWS;
    let features = Tensor::from_vec(numbers, (ROWS, width), &Device::Cpu)?;
    Ok(Rows { arrays: column_arrays(columns, &made, window), features })
}

/// The inputs with these cells: of windows the numbers in one tensor, all else one a column.
fn column_arrays(columns: &[ColumnInput<'_>], made: &[Cells], window: Option<usize>) -> Vec<NamedArray> {
    let steps = window.unwrap_or(1);
    let shape = [ROWS, steps];
    let (mut arrays, mut matrix) = (Vec::new(), Vec::new());
    for (input, cells) in columns.iter().zip(made) {
        match cells {
            Cells::Texts(texts) => {
                arrays.push(NamedArray::new(&input.name, &shape, Elements::Text(texts.clone())));
            }
            Cells::Numbers(numbers) if window.is_some() => matrix.push(numbers),
            Cells::Numbers(numbers) => {
                arrays.push(NamedArray::new(&input.name, &shape, Elements::Double(numbers.clone())));
            }
        }
    }
    if !matrix.is_empty() {
        let rows = (0..ROWS * steps).flat_map(|row| matrix.iter().map(move |column| column[row]));
        let elements = Elements::Double(rows.collect());
        arrays.insert(0, NamedArray::new(TENSOR, &[ROWS, steps, matrix.len()], elements));
    }
    arrays
}

fn cells(input: &ColumnInput<'_>, place: usize, count: usize) -> Cells {
    let column = input.column;
    let is_missing = |row: usize| (row + place) % 7 == 6 && takes_missing(column);
    match input.kind {
        CellKind::Number | CellKind::Date(_) => {
            let number = |row| match number(column, draw(row, place)) {
                _ if is_missing(row) => f64::NAN,
                days if matches!(input.kind, CellKind::Date(_)) => days.clamp(FIRST_DAY, LAST_DAY),
                number => number,
            };
            Cells::Numbers((0..count).map(number).collect())
        }
        CellKind::Boolean => {
            let word = |row: usize| match (is_missing(row), draw(row, place) > 0.0) {
                (true, _) => "",
                (_, true) => "true",
                (_, false) => "no",
            };
            Cells::Texts((0..count).map(|row| word(row).to_owned()).collect())
        }
        CellKind::Category => {
            let names = categories(column).map(Categories::names).unwrap_or_default();
            let name = |row: usize| {
                if is_missing(row) {
                    return String::new();
                }
                let unknown = (row + place) % 5 == 4;
                names
                    .get(row % names.len().max(1))
                    .filter(|_| !unknown)
                    .cloned()
                    .unwrap_or_else(|| unseen(names))
            };
            Cells::Texts((0..count).map(name).collect())
        }
    }
}

fn value(kind: CellKind, cells: &Cells, row: usize) -> Value<'_> {
    match cells {
        Cells::Texts(texts) if texts[row].is_empty() => Value::Missing,
        Cells::Texts(texts) => Value::Text(&texts[row]),
        Cells::Numbers(numbers) if numbers[row].is_nan() => Value::Missing,
        Cells::Numbers(numbers) => match kind {
            CellKind::Date(_) => Value::Date(numbers[row]),
            _ => Value::Number(numbers[row]),
        },
    }
}

/// A name that training has not seen.
fn unseen(names: &[String]) -> String {
    let mut name = "unknown".to_owned();
    while names.contains(&name) {
        name.push('_');
    }
    name
}

fn categories(column: &Column) -> Option<&Categories> {
    column.operations.iter().find_map(|operation| match operation {
        Operation::OneHot(names) | Operation::CategoryIndex { names, .. } => Some(names),
        _ => None,
    })
}

/// Whether a cell of the column may be missing.
pub(super) fn takes_missing(column: &Column) -> bool {
    let imputes = column.operations.iter().any(|operation| matches!(operation, Operation::Impute(_)));
    imputes || categories(column).is_some_and(|names| *names.missing() != MissingName::Error)
}

/// A number of a column that is about `drawn` once it is scaled.
fn number(column: &Column, drawn: f64) -> f64 {
    column.operations.iter().rev().fold(drawn, |number, operation| match operation {
        Operation::QuantileToNormal(quantiles) => quantiles.from_normal(number),
        Operation::Scale { offset, scale } if !makes_zero(*scale) => offset + scale * number,
        Operation::Scale { offset, .. } => offset + number,
        // Days of a year.
        Operation::Calendar { .. } if column.is_clock() => 20_000.0 + 91.3 * number,
        _ => number,
    })
}

/// The outputs for these scores, (N, K).
#[allow(clippy::cast_possible_truncation, reason = "outputs are f32")]
fn answers(model: &TrainedModel, scores: &Tensor) -> Result<Vec<NamedArray>> {
    let scores = scores.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let (rows, columns) = (scores.len(), model.columns());
    let (mut labels, mut numbers) = (Vec::new(), Vec::new());
    let mut cells = Vec::new();
    for row in &scores {
        columns.cells(row, &mut cells);
        for (place, cell) in cells.iter().enumerate() {
            let is_label = match columns {
                Columns::Classes { .. } => place == 0,
                Columns::Labels { .. } => place % 2 == 0,
                Columns::Values { .. } => false,
            };
            if is_label {
                labels.push(label(*cell));
            } else {
                numbers.push(cell.number().unwrap_or(f64::NAN) as f32);
            }
        }
    }
    if matches!(columns, Columns::Values { .. }) {
        return Ok(values(&numbers, rows, model.output().has_deviation()));
    }
    let (width, count) = (numbers.len() / rows, labels.len() / rows);
    let shape = if count == 1 { vec![rows] } else { vec![rows, count] };
    let elements = integers(&labels).map_or(Elements::Text(labels), Elements::Integer);
    let probabilities = NamedArray::new(PROBABILITIES, &[rows, width], Elements::Single(numbers));
    Ok(vec![NamedArray::new(LABEL, &shape, elements), probabilities])
}

/// Predicted values, and behind those of a row their deviations where there are some.
fn values(numbers: &[f32], rows: usize, has_deviation: bool) -> Vec<NamedArray> {
    let width = numbers.len() / rows;
    let names = if has_deviation { [PREDICTION, STD].as_slice() } else { &[PREDICTION] };
    let count = width / names.len();
    let part = |(place, name): (usize, &&str)| {
        let own = numbers.chunks(width).flat_map(|row| &row[place * count..(place + 1) * count]);
        NamedArray::new(name, &[rows, count], Elements::Single(own.copied().collect()))
    };
    names.iter().enumerate().map(part).collect()
}

fn label(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.to_owned(),
        cell => cell.number().map_or_else(String::new, |number| number.to_string()),
    }
}
