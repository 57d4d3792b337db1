//! The rows to be asked about, in the format of the training data, some thousands at a time.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use crate::data::pictures::Pictures;
use crate::data::preprocess::{Elements, PreprocessingSource, TableEncoder, TableFormat};
use crate::data::table::read::{Format, Input};
use crate::data::table::{Opened, Row, RowEncoder};
use crate::data::{Preprocessing, arrays, images};
use crate::error::{Error, Result};

/// Rows that go through the network together.
const ROWS: usize = 4096;
/// Numbers of a batch.
const NUMBERS: usize = 1 << 22;

/// The next rows.
pub(super) enum Batch {
    /// As the network reads them, (N, …).
    Rows(Tensor),
    /// So many rows of a series before the first whole window.
    TooShort(usize),
}

type See<'a> = dyn FnMut(Batch) -> anyhow::Result<()> + 'a;

/// Calls `see` with all rows of the input in their order.
pub(super) fn for_each_batch(
    preprocessing: &Preprocessing,
    input: &Path,
    see: &mut See<'_>,
) -> anyhow::Result<()> {
    let width: usize = preprocessing.row.iter().product();
    let rows = (NUMBERS / width.max(1)).clamp(1, ROWS);
    let row = preprocessing.row.as_slice();
    match (&preprocessing.source, preprocessing.elements()) {
        (PreprocessingSource::Table { format, encoder }, _) => {
            of_table((format, encoder), input, (rows, 1), see)
        }
        (PreprocessingSource::Series { format, window, encoder, .. }, _) => {
            of_table((format, encoder), input, (rows, *window), see)
        }
        (PreprocessingSource::Images { height, width, channels, classes, .. }, Some(elements)) => {
            let pictures =
                Pictures { height: *height, width: *width, channels: *channels, classes: classes.clone() };
            of_pictures(&pictures, (row, elements), input, rows, see)
        }
        (_, Some(elements)) => of_array(&arrays::read(input)?, (row, elements), rows, see, input),
        (_, None) => Ok(()),
    }
}

/// The rows of a table, or the windows of `window` rows of a series.
fn of_table(
    (table, fitted): (&TableFormat, &TableEncoder),
    input: &Path,
    (rows, window): (usize, usize),
    see: &mut See<'_>,
) -> anyhow::Result<()> {
    let format = Format::of(input).unwrap_or(table.format);
    let input = if input == Path::new("-") { Input::Stdin } else { Input::File(input.to_path_buf()) };
    let names: Vec<String> = fitted.columns().map(|column| column.name.clone()).collect();
    // Standard input can be read once: it is opened where its rows are read.
    let mut records = if input == Input::Stdin {
        crate::data::table::read::open(&input, format, &table.dialect(), Some(&names))?
    } else {
        Opened::new(input.clone(), format, table.dialect(), Some(&names))?.records()?
    };
    let mut encoder = RowEncoder::new(fitted, input.path(), &*records, false)?;
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
            see(Batch::TooShort(std::mem::take(&mut short)))?;
        }
        if numbers.len() >= (rows + window - 1) * width {
            see(Batch::Rows(windows(&numbers, (width, window))?))?;
            numbers.drain(..numbers.len() - (window - 1) * width);
        }
    }
    if short > 0 {
        see(Batch::TooShort(short))?;
    } else if numbers.len() >= window * width && read >= window {
        see(Batch::Rows(windows(&numbers, (width, window))?))?;
    }
    encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
    Ok(())
}

/// The windows of rows of `width` numbers, (N, window · width).
fn windows(numbers: &[f64], (width, window): (usize, usize)) -> Result<Tensor> {
    if window == 1 {
        return Ok(Tensor::from_slice(numbers, (numbers.len() / width, width), &Device::Cpu)?);
    }
    let count = numbers.len() / width - (window - 1);
    let all: Vec<f64> =
        (0..count).flat_map(|row| &numbers[row * width..(row + window) * width]).copied().collect();
    Ok(Tensor::from_vec(all, (count, window * width), &Device::Cpu)?)
}

/// A picture, a folder of pictures in the order of their names, or an IDX file of them.
fn of_pictures(
    pictures: &Pictures,
    (row, elements): (&[usize], &Elements),
    input: &Path,
    rows: usize,
    see: &mut See<'_>,
) -> anyhow::Result<()> {
    let ending = input.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let files: Vec<PathBuf> = if input.is_dir() {
        images::of_folder(input)?
    } else if matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg")) {
        vec![input.to_path_buf()]
    } else {
        return of_array(&arrays::read(input)?, (row, elements), rows, see, input);
    };
    if files.is_empty() {
        return Err(Error::data(input, "there is no PNG or JPEG in this folder").into());
    }
    for files in files.chunks(rows) {
        let mut bytes = Vec::new();
        for file in files {
            bytes.extend(pictures.read(file)?);
        }
        let xs = Tensor::from_vec(bytes, [&[files.len()], row].concat(), &Device::Cpu)?;
        see(Batch::Rows(elements.apply(&xs)?))?;
    }
    Ok(())
}

/// The rows of an array whose rows have this shape.
fn of_array(
    xs: &Tensor,
    (shape, elements): (&[usize], &Elements),
    rows: usize,
    see: &mut See<'_>,
    input: &Path,
) -> anyhow::Result<()> {
    let wanted: usize = shape.iter().product();
    let count = xs.dims()[0];
    let own: usize = xs.dims()[1..].iter().product();
    if own != wanted {
        let problem = format!(
            "a row has {own} numbers, {:?}, and the run was trained on {wanted}, {shape:?}",
            &xs.dims()[1..]
        );
        return Err(Error::data(input, problem).into());
    }
    let xs = xs.reshape([&[count], shape].concat())?;
    for start in (0..count).step_by(rows) {
        let batch = xs.narrow(0, start, rows.min(count - start))?.contiguous()?;
        see(Batch::Rows(elements.apply(&batch)?))?;
    }
    Ok(())
}
