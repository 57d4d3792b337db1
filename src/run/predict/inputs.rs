//! The rows to predict, in the format of the training data, some thousand at a time.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::table::{InMemory, Table};
use crate::data::pictures::Pictures;
use crate::data::preprocess::{Elements, PreprocessingSource, TableEncoder, TableFormat};
use crate::data::table::read::{self, Format, Input, Records};
use crate::data::table::{Opened, Row, RowEncoder};
use crate::data::{Preprocessing, arrays, images};
use crate::error::{Error, Result};

/// The most rows that go through the network together.
const ROWS: usize = 4096;
/// The most numbers that do.
const NUMBERS: usize = 1 << 22;

/// The next rows.
pub(super) enum Rows {
    /// As the network reads them, (N, …).
    Whole(Tensor),
    /// So many rows of a series before the first whole window.
    TooShort(usize),
}

/// Sees the next rows, with the path that messages name.
pub(super) type See<'a> = dyn FnMut(&Path, Rows) -> Result<()> + 'a;

/// How the rows of a table are taken together.
#[derive(Clone, Copy)]
struct Batching {
    /// The most rows, or windows, of a batch.
    rows: usize,
    /// The rows of a window; 1 for a table whose rows stand alone.
    window: usize,
}

/// Arrays of rows: their shape, and what is done with their numbers.
#[derive(Clone, Copy)]
struct ArrayRows<'a> {
    shape: &'a [usize],
    elements: &'a Elements,
    /// The most rows of a batch.
    batch: usize,
}

/// The most rows of a batch.
fn rows_of_batch(preprocessing: &Preprocessing) -> usize {
    let width: usize = preprocessing.row.iter().product();
    (NUMBERS / width.max(1)).clamp(1, ROWS)
}

/// Calls `see` with all rows of a table in memory in their order.
pub(super) fn of_memory(preprocessing: &Preprocessing, table: &Table, see: &mut See<'_>) -> Result<()> {
    let rows = rows_of_batch(preprocessing);
    let path = InMemory::path();
    match &preprocessing.source {
        PreprocessingSource::Table { encoder, .. } => {
            of_records(&mut table.records(), path, encoder, Batching { rows, window: 1 }, see)
        }
        PreprocessingSource::Series { window, encoder, .. } => {
            of_records(&mut table.records(), path, encoder, Batching { rows, window: *window }, see)
        }
        PreprocessingSource::Images { .. } | PreprocessingSource::Arrays { .. } => {
            Err(Error::data(path, "the run was trained on pictures or arrays; predict a file of those"))
        }
    }
}

/// Calls `see` with all rows of a file or folder in their order; `-` is standard input.
pub(super) fn of_path(preprocessing: &Preprocessing, input: &Path, see: &mut See<'_>) -> Result<()> {
    let rows = rows_of_batch(preprocessing);
    let of_elements = |elements| ArrayRows { shape: &preprocessing.row, elements, batch: rows };
    match (&preprocessing.source, preprocessing.elements()) {
        (PreprocessingSource::Table { format, encoder }, _) => {
            let (mut records, path) = open(format, encoder, input)?;
            of_records(&mut *records, &path, encoder, Batching { rows, window: 1 }, see)
        }
        (PreprocessingSource::Series { format, window, encoder, .. }, _) => {
            let (mut records, path) = open(format, encoder, input)?;
            of_records(&mut *records, &path, encoder, Batching { rows, window: *window }, see)
        }
        (PreprocessingSource::Images { height, width, channels, classes, .. }, Some(elements)) => {
            let pictures =
                Pictures { height: *height, width: *width, channels: *channels, classes: classes.clone() };
            of_pictures(&pictures, of_elements(elements), input, see)
        }
        (_, Some(elements)) => of_array(&arrays::read(input)?, of_elements(elements), input, see),
        (_, None) => Ok(()),
    }
}

/// Opens a table; gives its rows, and the path that messages name.
fn open(table: &TableFormat, encoder: &TableEncoder, input: &Path) -> Result<(Box<dyn Records>, PathBuf)> {
    let format = Format::of(input).unwrap_or(table.format);
    let input = if input == Path::new("-") { Input::Stdin } else { Input::File(input.to_path_buf()) };
    let names: Vec<String> = encoder.columns().map(|column| column.name.clone()).collect();
    // Standard input can be read once: it is opened where its rows are read.
    let records = if input == Input::Stdin {
        read::open(&input, format, &table.dialect(), Some(&names))?
    } else {
        Opened::new(input.clone(), format, table.dialect(), Some(&names))?.records()?
    };
    Ok((records, input.path().to_path_buf()))
}

/// The rows of a table, or the windows of a series.
fn of_records(
    records: &mut dyn Records,
    path: &Path,
    fitted: &TableEncoder,
    Batching { rows, window }: Batching,
    see: &mut See<'_>,
) -> Result<()> {
    let mut encoder = RowEncoder::new(fitted, path, records, false)?;
    let width = fitted.features();
    let (mut row, mut features) = (Row::default(), Vec::new());
    let (mut numbers, mut read, mut short): (Vec<f64>, usize, usize) = (Vec::new(), 0, 0);
    while records.next(&mut row)? {
        encoder.features(&row, &mut features)?;
        numbers.extend_from_slice(&features);
        read += 1;
        if read < window {
            short += 1;
            continue;
        }
        if short > 0 {
            see(path, Rows::TooShort(std::mem::take(&mut short)))?;
        }
        if numbers.len() >= (rows + window - 1) * width {
            see(path, Rows::Whole(windows(&numbers, width, window)?))?;
            numbers.drain(..numbers.len() - (window - 1) * width);
        }
    }
    if short > 0 {
        see(path, Rows::TooShort(short))?;
    } else if numbers.len() >= window * width && read >= window {
        see(path, Rows::Whole(windows(&numbers, width, window)?))?;
    }
    encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
    Ok(())
}

/// The windows of rows of `width` numbers, (N, window · width).
fn windows(numbers: &[f64], width: usize, window: usize) -> Result<Tensor> {
    if window == 1 {
        return Ok(Tensor::from_slice(numbers, (numbers.len() / width, width), &Device::Cpu)?);
    }
    let count = numbers.len() / width - (window - 1);
    let all: Vec<f64> =
        (0..count).flat_map(|row| &numbers[row * width..(row + window) * width]).copied().collect();
    Ok(Tensor::from_vec(all, (count, window * width), &Device::Cpu)?)
}

/// A picture, a folder of pictures in the order of their names, or an IDX file of them.
fn of_pictures(pictures: &Pictures, rows: ArrayRows<'_>, input: &Path, see: &mut See<'_>) -> Result<()> {
    let ending = input.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let files: Vec<PathBuf> = if input.is_dir() {
        images::of_folder(input)?
    } else if matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg")) {
        vec![input.to_path_buf()]
    } else {
        return of_array(&arrays::read(input)?, rows, input, see);
    };
    if files.is_empty() {
        return Err(Error::data(input, "there is no PNG or JPEG in this folder"));
    }
    for files in files.chunks(rows.batch) {
        let mut bytes = Vec::new();
        for file in files {
            bytes.extend(pictures.read(file)?);
        }
        let xs = Tensor::from_vec(bytes, [&[files.len()], rows.shape].concat(), &Device::Cpu)?;
        see(input, Rows::Whole(rows.elements.apply(&xs)?))?;
    }
    Ok(())
}

/// The rows of an array whose rows have this shape.
fn of_array(
    xs: &Tensor,
    ArrayRows { shape, elements, batch }: ArrayRows<'_>,
    input: &Path,
    see: &mut See<'_>,
) -> Result<()> {
    let wanted: usize = shape.iter().product();
    let count = xs.dims()[0];
    let own: usize = xs.dims()[1..].iter().product();
    if own != wanted {
        let problem = format!(
            "a row has {own} numbers, {:?}, and the run was trained on {wanted}, {shape:?}",
            &xs.dims()[1..]
        );
        return Err(Error::data(input, problem));
    }
    let xs = xs.reshape([&[count], shape].concat())?;
    for start in (0..count).step_by(batch) {
        let next = xs.narrow(0, start, batch.min(count - start))?.contiguous()?;
        see(input, Rows::Whole(elements.apply(&next)?))?;
    }
    Ok(())
}
