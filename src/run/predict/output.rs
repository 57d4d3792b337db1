//! Predictions as CSV, JSONL or Parquet, some thousand rows at a time.

use std::io::{self, BufWriter, Write};
use std::ops::Range;

use candle_core::{DType, Tensor};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::columns::{Cell, Columns};
use super::keys::KeyCell;
use super::lines::TextLines;
use super::parquet::ParquetRows;
use crate::data::table::read::Format;
use crate::error::{Error, Result};

/// The rows whose text is made by one thread.
const TOGETHER: usize = 512;

/// Writes predictions, each behind the key of its row.
pub(super) struct PredictionWriter<'a> {
    columns: Columns,
    /// The number of columns of a key.
    keys: usize,
    sink: FormatWriter<'a>,
}

type Out<'a> = BufWriter<&'a mut (dyn Write + Send)>;

enum FormatWriter<'a> {
    /// Before the columns are known.
    New(Format, Out<'a>),
    Text(TextRows<'a>),
    Parquet(Box<ParquetRows<Out<'a>>>),
    Finished,
}

impl<'a> PredictionWriter<'a> {
    pub(super) fn new(format: Format, columns: Columns, out: &'a mut (dyn Write + Send)) -> Self {
        Self { columns, keys: 0, sink: FormatWriter::New(format, BufWriter::with_capacity(1 << 16, out)) }
    }

    /// Sets the names of the keys' columns, before the first row.
    ///
    /// # Errors
    /// A column of the predictions has the same name.
    pub(super) fn begin(&mut self, keys: &[String]) -> Result<()> {
        let names = self.columns.names();
        if let Some(twice) = keys.iter().find(|key| names.contains(key)) {
            let problem = "the predictions have a column of this name; rename it in the input";
            return Err(Error::Config(format!("--keep {}: {problem}", twice.escape_debug())));
        }
        let texts: Vec<bool> = (0..names.len()).map(|index| self.columns.is_text(index)).collect();
        let names = [keys, names.as_slice()].concat();
        self.keys = keys.len();
        self.sink = match std::mem::replace(&mut self.sink, FormatWriter::Finished) {
            FormatWriter::New(Format::Csv, out) => {
                FormatWriter::Text(TextRows { out, lines: TextLines::csv(&names) })
            }
            FormatWriter::New(Format::Jsonl, out) => {
                FormatWriter::Text(TextRows { out, lines: TextLines::jsonl(&names) })
            }
            FormatWriter::New(Format::Parquet, out) => {
                FormatWriter::Parquet(Box::new(ParquetRows::new(names, texts, out)))
            }
            begun => begun,
        };
        Ok(())
    }

    /// Adds the rows of these scores, (N, K), with their keys.
    pub(super) fn add(&mut self, scores: &Tensor, keys: &[KeyCell]) -> Result<()> {
        let width = scores.dims()[1];
        let scores = scores.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let (columns, keys_a_row) = (&self.columns, self.keys);
        let cells = |rows: Range<usize>, see: &mut SeeCells<'_>| {
            let (mut cells, mut predicted) = (Vec::new(), Vec::new());
            rows.into_iter().try_for_each(|row| {
                cells.clear();
                cells.extend(keys[row * keys_a_row..][..keys_a_row].iter().map(KeyCell::cell));
                columns.cells(&scores[row * width..(row + 1) * width], &mut predicted);
                cells.append(&mut predicted);
                see(&cells)
            })
        };
        self.sink.add(scores.len() / width.max(1), cells)
    }

    /// Adds rows that cannot be predicted.
    pub(super) fn add_empty(&mut self, rows: usize, keys: &[KeyCell]) -> Result<()> {
        let (width, keys_a_row) = (self.columns.names().len(), self.keys);
        let cells = |rows: Range<usize>, see: &mut SeeCells<'_>| {
            rows.into_iter().try_for_each(|row| {
                let key = keys[row * keys_a_row..][..keys_a_row].iter().map(KeyCell::cell);
                let cells: Vec<Cell<'_>> = key.chain(std::iter::repeat_n(Cell::Missing, width)).collect();
                see(&cells)
            })
        };
        self.sink.add(rows, cells)
    }

    /// Writes the rows that are still buffered, and the end of the file.
    pub(super) fn finish(self) -> Result<()> {
        match self.sink {
            FormatWriter::Text(rows) => rows.finish().map_err(not_written),
            FormatWriter::Parquet(rows) => rows.finish(),
            FormatWriter::New(_, mut out) => out.flush().map_err(not_written),
            FormatWriter::Finished => Ok(()),
        }
    }
}

impl FormatWriter<'_> {
    /// Adds so many rows, of which `cells` gives the cells.
    fn add(&mut self, rows: usize, cells: impl CellsOfRows) -> Result<()> {
        match self {
            Self::Text(text) => text.add(rows, cells),
            Self::Parquet(file) => cells(0..rows, &mut |cells| file.add(cells)),
            Self::New(..) | Self::Finished => Ok(()),
        }
    }
}

/// Takes the cells of a row.
type SeeCells<'a> = dyn FnMut(&[Cell<'_>]) -> Result<()> + 'a;

/// Calls its second argument with the cells of each of these rows.
trait CellsOfRows: Fn(Range<usize>, &mut SeeCells<'_>) -> Result<()> + Sync {}

impl<F: Fn(Range<usize>, &mut SeeCells<'_>) -> Result<()> + Sync> CellsOfRows for F {}

/// Lines of text, which are made on all cores.
struct TextRows<'a> {
    out: Out<'a>,
    lines: TextLines,
}

impl TextRows<'_> {
    fn add(&mut self, rows: usize, cells: impl CellsOfRows) -> Result<()> {
        self.lines.write_header(&mut self.out).map_err(not_written)?;
        let lines = &self.lines;
        let text = |rows: Range<usize>| -> Result<Vec<u8>> {
            let mut text = lines.begin();
            cells(rows, &mut |cells| text.add(cells).map_err(not_written))?;
            text.finish().map_err(not_written)
        };
        if rows <= TOGETHER {
            return self.out.write_all(&text(0..rows)?).map_err(not_written);
        }
        let starts: Vec<usize> = (0..rows).step_by(TOGETHER).collect();
        let text = |start: &usize| text(*start..rows.min(start + TOGETHER));
        let texts: Vec<Result<Vec<u8>>> = starts.par_iter().map(text).collect();
        texts.into_iter().try_for_each(|text| self.out.write_all(&text?).map_err(not_written))
    }

    fn finish(mut self) -> io::Result<()> {
        self.lines.write_header(&mut self.out)?;
        self.out.flush()
    }
}

fn not_written(error: io::Error) -> Error {
    Error::io("write", "the predictions")(error)
}
