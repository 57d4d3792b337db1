//! The rows to predict, in the format of the training data, some thousand at a time.

use std::path::{Path, PathBuf};

use super::keyed_rows::{Inputs, KeyedRows, See};
use super::keys::{Keep, KeyCell, KeyedRecords};
use super::open_table::OpenTable;
use super::series::SeriesInput;
use super::table::{InMemory, Table};
use super::table_rows::TableRows;
use crate::data::bytes::Bytes;
use crate::data::npy::Array;
use crate::data::pass::RowPass;
use crate::data::picture_files::{FORMATS, PictureFiles, is_other_picture, is_picture};
use crate::data::pictures::Pictures;
use crate::data::pixels::PixelBuffer;
use crate::data::preprocess::{Elements, PreprocessingSource, TableEncoder};
use crate::data::table::read::WithoutSentinels;
use crate::data::table::series::SeriesRows;
use crate::data::{MemoryLimit, Preprocessing, arrays, images};
use crate::error::{Error, Result};

/// The most rows that go through the network together.
const ROWS: usize = 4096;
/// The most numbers that do.
const NUMBERS: usize = 1 << 22;

/// How the rows of a file are taken.
#[derive(Clone, Copy, Default)]
pub(super) struct PathRows<'a> {
    /// The columns that are a row's key.
    pub(super) keep: Keep<'a>,
    /// Whether a row of a series has the forecast for its own time, and those of later times follow the last; else a row has
    /// the forecasts made from the window that ends with it.
    pub(super) by_time: bool,
}

/// Arrays of rows: their shape and the preprocessing of their numbers.
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
        PreprocessingSource::Table { format, encoder } => {
            let mut records = WithoutSentinels::new(table.records(), &format.dialect);
            let records = KeyedRecords::new(&mut records, path, &[])?;
            TableRows { path, encoder, most: rows, numbers: NUMBERS, keep: &[] }.of_records(records, see)
        }
        PreprocessingSource::Series { format, window, encoder, order, steps, .. } => {
            let mut records = WithoutSentinels::new(table.records(), &format.dialect);
            let mut records = KeyedRecords::new(&mut records, path, &[])?;
            let series = SeriesRows::read(encoder, order, &mut records, path)?;
            SeriesInput { series: &series, path, window: *window, steps, batch: rows }.windows(records, see)
        }
        PreprocessingSource::Images { .. } | PreprocessingSource::Arrays { .. } => {
            Err(Error::data(path, "the run was trained on pictures or arrays; predict a file of those"))
        }
    }
}

/// Calls `see` with all rows of a file or folder in their order; `-` is standard input.
pub(super) fn of_path(
    preprocessing: &Preprocessing,
    input: &Path,
    PathRows { keep, by_time }: PathRows<'_>,
    see: &mut See<'_>,
) -> Result<()> {
    let rows = rows_of_batch(preprocessing);
    if preprocessing.table().is_none() && !keep.is_empty() {
        let problem = "--keep: only a table has columns; pictures have their `file`, arrays their order";
        return Err(Error::Config(problem.to_owned()));
    }
    let of_elements = |elements| ArrayRows { shape: &preprocessing.row, elements, batch: rows };
    match (&preprocessing.source, preprocessing.elements()) {
        (PreprocessingSource::Table { format, encoder }, _) => {
            let table = OpenTable::new(format, encoder, input, keep)?;
            TableRows { path: table.path(), encoder, most: rows, numbers: NUMBERS, keep }
                .of_table(&table, see)
        }
        (PreprocessingSource::Series { format, window, encoder, order, steps, .. }, _) => {
            let table = OpenTable::new(format, encoder, input, keep)?;
            let (mut records, path) = (table.records()?, table.path());
            let records = KeyedRecords::new(&mut *records, path, keep)?;
            let mut records = records.with_series(order, ignored(encoder));
            let series = SeriesRows::read(encoder, order, &mut records, path)?;
            let input = SeriesInput { series: &series, path, window: *window, steps, batch: rows };
            if by_time { input.by_time(records, order, see) } else { input.windows(records, see) }
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

/// The columns that are not used: in a series the time is one of them.
fn ignored(fitted: &TableEncoder) -> Vec<&str> {
    let ignored = fitted.columns().filter(|column| column.ignored.is_some());
    ignored.map(|column| column.name.as_str()).collect()
}

/// A picture, a folder of pictures in the order of their names, or an IDX file of them.
fn of_pictures(pictures: &Pictures, rows: ArrayRows<'_>, input: &Path, see: &mut See<'_>) -> Result<()> {
    images::require_file(input)?;
    let files: Vec<PathBuf> = if input.is_dir() {
        let PictureFiles { files, left_out } = PictureFiles::of_folder(input)?;
        if files.is_empty() {
            let left_out = left_out.describe().map_or(String::new(), |others| format!("; {others}"));
            let problem = format!("there is no {FORMATS} file in this folder{left_out}");
            return Err(Error::data(input, problem));
        }
        images::log_counts(input, files.len(), &left_out);
        files
    } else if is_picture(input) {
        vec![input.to_path_buf()]
    } else if is_other_picture(input) {
        let problem = format!("a picture in this format is not read; make it a {FORMATS} file");
        return Err(Error::data(input, problem));
    } else {
        return of_array(&arrays::read(input)?, rows, input, see);
    };
    see.keys(&["file".to_owned()])?;
    let mut pass = RowPass::of_files(input, &files);
    for files in files.chunks(rows.batch) {
        let room = files.len().saturating_mul(pictures.pixels());
        let pixels = PixelBuffer::new(room, MemoryLimit::of_free());
        let mut pixels = pixels.map_err(|problem| Error::data(input, format!("the data {problem}")))?;
        pictures.read(files, &mut pixels)?;
        let xs = pixels.tensor(&[&[files.len()], rows.shape].concat())?;
        let keys = files.iter().map(|file| KeyCell::Text(name_in(input, file))).collect();
        let inputs = Inputs::Elements(rows.elements.scaled_inputs(&xs, Bytes::Pixels)?);
        see.rows(input, KeyedRows { inputs, keys })?;
        pass.add(files.len());
    }
    Ok(())
}

/// The name of a picture within the folder `input`, or that of the file `input` itself.
fn name_in(input: &Path, file: &Path) -> String {
    let inner = file.strip_prefix(input).ok().filter(|inner| !inner.as_os_str().is_empty());
    let name = inner.or_else(|| file.file_name().map(Path::new)).unwrap_or(file);
    name.to_string_lossy().into_owned()
}

/// The rows of an array whose rows have this shape.
fn of_array(
    Array { tensor: xs, bytes }: &Array,
    ArrayRows { shape, elements, batch }: ArrayRows<'_>,
    input: &Path,
    see: &mut See<'_>,
) -> Result<()> {
    let count = xs.dims()[0];
    arrays::require_width(input, &xs.dims()[1..], shape)?;
    if let Some(doubt) = elements.doubt(xs, *bytes)? {
        tracing::warn!("{}: {doubt}", input.display());
    }
    let xs = xs.reshape([&[count], shape].concat())?;
    see.keys(&[])?;
    for start in (0..count).step_by(batch) {
        let next = xs.narrow(0, start, batch.min(count - start))?.contiguous()?;
        let inputs = Inputs::Elements(elements.scaled_inputs(&next, *bytes)?);
        see.rows(input, KeyedRows { inputs, keys: Vec::new() })?;
    }
    Ok(())
}
