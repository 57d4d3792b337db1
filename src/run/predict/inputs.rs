//! The rows to predict, in the format of the training data, some thousand at a time.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::table::{InMemory, Table};
use crate::data::npy::Array;
use crate::data::picture_files::{FORMATS, PictureFiles, is_other_picture, is_picture};
use crate::data::pictures::Pictures;
use crate::data::pixels::PixelBuffer;
use crate::data::preprocess::{Elements, PreprocessingSource, TableEncoder, TableFormat};
use crate::data::table::read::{self, Format, Input, Records};
use crate::data::table::series::SeriesRows;
use crate::data::table::{Opened, Row, RowEncoder};
use crate::data::{MemoryLimit, Preprocessing, arrays, images};
use crate::error::{Error, Result};

/// The most rows that go through the network together.
const ROWS: usize = 4096;
/// The most numbers that do.
const NUMBERS: usize = 1 << 22;

/// The next rows.
pub(super) enum Rows {
    /// As the network reads them, (N, …).
    Whole(Tensor),
    /// So many rows of a series that end no whole window.
    TooShort(usize),
}

/// Sees the next rows, with the path that messages name.
pub(super) type See<'a> = dyn FnMut(&Path, Rows) -> Result<()> + 'a;

/// How the rows of a series are taken together.
#[derive(Clone, Copy)]
struct Batching {
    /// The most windows of a batch.
    rows: usize,
    /// The rows of a window.
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
            of_records(&mut table.records(), path, encoder, rows, see)
        }
        PreprocessingSource::Series { window, encoder, order, .. } => {
            let series = SeriesRows::read(encoder, order, &mut table.records(), path)?;
            of_series(&series, path, Batching { rows, window: *window }, see)
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
            of_records(&mut *records, &path, encoder, rows, see)
        }
        (PreprocessingSource::Series { format, window, encoder, order, .. }, _) => {
            let (mut records, path) = open(format, encoder, input)?;
            let series = SeriesRows::read(encoder, order, &mut *records, &path)?;
            of_series(&series, &path, Batching { rows, window: *window }, see)
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

/// The rows of a table, at most `most` at a time.
fn of_records(
    records: &mut dyn Records,
    path: &Path,
    fitted: &TableEncoder,
    most: usize,
    see: &mut See<'_>,
) -> Result<()> {
    let mut encoder = RowEncoder::new(fitted, path, records, false)?;
    let width = fitted.features();
    let (mut row, mut features) = (Row::default(), Vec::new());
    let mut numbers: Vec<f64> = Vec::new();
    let whole = |numbers: &mut Vec<f64>| -> Result<Rows> {
        let rows = numbers.len() / width;
        Ok(Rows::Whole(Tensor::from_vec(std::mem::take(numbers), (rows, width), &Device::Cpu)?))
    };
    while records.next(&mut row)? {
        encoder.features(&row, &mut features)?;
        numbers.extend_from_slice(&features);
        if numbers.len() >= most * width {
            see(path, whole(&mut numbers)?)?;
        }
    }
    if !numbers.is_empty() {
        see(path, whole(&mut numbers)?)?;
    }
    encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
    Ok(())
}

/// The windows that end with each row of a series, in the order of the file.
fn of_series(
    series: &SeriesRows,
    path: &Path,
    Batching { rows, window }: Batching,
    see: &mut See<'_>,
) -> Result<()> {
    let windows = series.windows_to_predict(window);
    if windows.iter().all(Option::is_none) {
        let problem = format!(
            "a prediction is made from {window} rows, and no {window} of the {} rows here follow each other without a gap",
            windows.len()
        );
        return Err(Error::data(path, problem));
    }
    for some in windows.chunk_by(|a, b| a.is_some() == b.is_some()) {
        if some[0].is_none() {
            see(path, Rows::TooShort(some.len()))?;
            continue;
        }
        for some in some.chunks(rows) {
            let mut numbers = Vec::new();
            some.iter().flatten().for_each(|places| series.append(places.clone(), &mut numbers));
            let width = numbers.len() / some.len();
            see(path, Rows::Whole(Tensor::from_vec(numbers, (some.len(), width), &Device::Cpu)?))?;
        }
    }
    Ok(())
}

/// A picture, a folder of pictures in the order of their names, or an IDX file of them.
fn of_pictures(pictures: &Pictures, rows: ArrayRows<'_>, input: &Path, see: &mut See<'_>) -> Result<()> {
    let files: Vec<PathBuf> = if input.is_dir() {
        let PictureFiles { files, left_out } = PictureFiles::of_folder(input)?;
        if files.is_empty() {
            let left_out = left_out.describe().map_or(String::new(), |said| format!("; {said}"));
            let problem = format!("there is no {FORMATS} file in this folder{left_out}");
            return Err(Error::data(input, problem));
        }
        images::say(input, files.len(), &left_out);
        files
    } else if is_picture(input) {
        vec![input.to_path_buf()]
    } else if is_other_picture(input) {
        let problem = format!("a picture in this format is not read; make it a {FORMATS} file");
        return Err(Error::data(input, problem));
    } else {
        return of_array(&arrays::read(input)?, rows, input, see);
    };
    for files in files.chunks(rows.batch) {
        let room = files.len().saturating_mul(pictures.pixels());
        let pixels = PixelBuffer::new(room, MemoryLimit::of_free());
        let mut pixels = pixels.map_err(|problem| Error::data(input, format!("the data {problem}")))?;
        for file in files {
            pictures.read(file, &mut pixels)?;
        }
        let xs = pixels.tensor(&[&[files.len()], rows.shape].concat())?;
        see(input, Rows::Whole(rows.elements.apply(&xs)?))?;
    }
    Ok(())
}

/// The rows of an array whose rows have this shape.
fn of_array(
    Array { tensor: xs, bytes }: &Array,
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
        see(input, Rows::Whole(elements.apply(&bytes.numbers(&next)?)?))?;
    }
    Ok(())
}
