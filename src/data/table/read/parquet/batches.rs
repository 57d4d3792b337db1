//! Parquet as batches of columns, which are decoded on all cores.

use std::path::Path;

use parquet::column::reader::ColumnReader;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::FileReader;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::decode::{decode, decode_numeric};
use super::{Parquet, guarded, value, whole};
use crate::data::pass::RowPass;
use crate::data::table::batch::{CellsBuilder, LineNumbers, RecordBatch};
use crate::data::table::read::batches::{RecordBatchReader, Use, WantedColumns, uses};
use crate::data::table::read::column_sentinels::{ColumnSentinels, TableSentinels};
use crate::data::table::read::dialect::Dialect;
use crate::data::table::read::input::Input;
use crate::data::table::read::meaning::Meaning;
use crate::data::table::read::records::Records;
use crate::data::table::value::Value;
use crate::error::Result;

/// The cells of a batch of numbers, about.
const NUMBERS: usize = 1 << 18;
/// The cells of a batch with columns of text, about: the fewer batches, the fewer times a text is kept.
const CELLS: usize = 1 << 20;
/// So few cells are decoded by one thread.
const MOST_ALONE: usize = 1 << 14;

/// The rows of a file, as batches of columns.
pub(in crate::data::table::read) struct ParquetBatches {
    file: Parquet,
    uses: Vec<Use>,
    /// The further values that are missing in each column.
    sentinels: Vec<Option<ColumnSentinels>>,
    pass: RowPass,
}

impl ParquetBatches {
    pub(in crate::data::table::read) fn open(
        input: &Input,
        dialect: &Dialect,
        wanted: &WantedColumns,
    ) -> Result<Self> {
        let mut file = Parquet::open(input, dialect)?;
        let uses = uses(&file.columns, wanted);
        for ((_, meaning), used) in file.leaves.iter_mut().zip(&uses) {
            if *used == Use::Ignored {
                *meaning = Meaning::Unusable;
            }
        }
        let sentinels = TableSentinels::new(dialect).of_each(&file.columns);
        let groups = file.file.metadata().row_groups();
        let size = |size: fn(&RowGroupMetaData) -> i64| -> u64 {
            groups.iter().map(|group| u64::try_from(size(group)).unwrap_or(0)).sum()
        };
        let (bytes, rows) = (size(RowGroupMetaData::compressed_size), size(RowGroupMetaData::num_rows));
        let pass = RowPass::new(&file.path, bytes, rows);
        Ok(Self { file, uses, sentinels, pass })
    }

    /// The rows of each row group.
    pub(super) fn groups(&self) -> Vec<u64> {
        let groups = self.file.file.metadata().row_groups();
        groups.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect()
    }

    /// Goes to the start of a row group, the first row of which is behind `row` rows.
    pub(super) fn go_to(&mut self, group: usize, row: u64) {
        (self.file.group, self.file.row, self.file.left) = (group, row, 0);
    }

    /// The most rows of a batch.
    pub(super) fn most(&self) -> usize {
        let is_text = |((_, meaning), used): (&(usize, Meaning), &Use)| {
            *used == Use::Text || (*used == Use::Any && matches!(meaning, Meaning::Text))
        };
        let cells = if self.file.leaves.iter().zip(&self.uses).any(is_text) { CELLS } else { NUMBERS };
        (cells / self.uses.len().max(1)).clamp(1 << 10, 1 << 16)
    }
}

/// A column of a file, and the rows of it that are read.
struct ColumnRows<'a> {
    path: &'a Path,
    name: &'a str,
    dialect: &'a Dialect,
    /// The further values that are missing in it.
    sentinels: Option<&'a ColumnSentinels>,
    meaning: Meaning,
    used: Use,
    /// The row before the first of them, and how many there are.
    row: u64,
    rows: usize,
}

impl ColumnRows<'_> {
    /// The next cells of the column.
    fn read(&self, reader: Option<&mut ColumnReader>) -> Result<CellsBuilder> {
        let mut cells = CellsBuilder::new(self.used == Use::Text);
        let Some(reader) = reader.filter(|_| self.used != Use::Ignored) else {
            if self.used != Use::Ignored {
                (0..self.rows).for_each(|_| cells.push(Value::Nested));
            }
            return Ok(cells);
        };
        if let Some(cells) = self.read_numeric(reader)? {
            return Ok(cells);
        }
        let (mut row, mut failed) = (self.row, None);
        let push = |held| {
            row += 1;
            match value(&held, self.dialect, self.path, row, self.name) {
                Ok(value) if self.sentinels.is_some_and(|own| own.has(value)) => {
                    cells.push(Value::Missing);
                }
                Ok(value) => cells.push(value),
                Err(error) => failed = failed.take().or(Some(error)),
            }
        };
        let read = guarded(|| decode(reader, self.meaning, self.rows, push));
        match failed {
            Some(error) => Err(error),
            None => whole(self.path, self.name, self.row, self.rows, read).map(|()| cells),
        }
    }

    /// The next cells of a column of numbers or dates; nothing of another, or where cells have to be looked at.
    fn read_numeric(&self, reader: &mut ColumnReader) -> Result<Option<CellsBuilder>> {
        if self.used != Use::Any || self.sentinels.is_some() {
            return Ok(None);
        }
        let read = guarded(|| decode_numeric(reader, self.meaning, self.rows).transpose());
        let (cells, read) = match read {
            Ok(None) => return Ok(None),
            Ok(Some(cells)) => {
                let cells = CellsBuilder::of(cells);
                let found = cells.len();
                (cells, Ok(found))
            }
            Err(error) => (CellsBuilder::new(false), Err(error)),
        };
        whole(self.path, self.name, self.row, self.rows, read).map(|()| Some(cells))
    }
}

impl RecordBatchReader for ParquetBatches {
    fn columns(&self) -> &[String] {
        self.file.columns()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.file.left == 0 {
            if self.file.group == self.file.file.num_row_groups() {
                return Ok(None);
            }
            self.file.open_group()?;
        }
        let rows = self.file.left.min(self.most());
        let Self { file, uses, sentinels, .. } = self;
        let Parquet { path, columns, leaves, dialect, row, readers, .. } = file;
        let one = |column: usize| ColumnRows {
            path,
            name: &columns[column],
            dialect,
            sentinels: sentinels[column].as_ref(),
            meaning: leaves[column].1,
            used: uses[column],
            row: *row,
            rows,
        };
        let columns: Vec<ColumnRows<'_>> = (0..columns.len()).map(one).collect();
        let read =
            |(reader, column): (&mut Option<ColumnReader>, ColumnRows<'_>)| column.read(reader.as_mut());
        let cells: Result<Vec<CellsBuilder>> = if rows * columns.len() < MOST_ALONE {
            readers.iter_mut().zip(columns).map(read).collect()
        } else {
            readers.par_iter_mut().zip(columns).map(read).collect()
        };
        let cells = cells?;
        let mixed =
            (0..).zip(&cells).filter(|(_, cells)| cells.is_mixed()).map(|(column, _)| column).collect();
        let lines = LineNumbers::From(self.file.row + 1);
        self.file.row += rows as u64;
        self.pass.at(self.file.row);
        self.file.left -= rows;
        let columns = cells.into_iter().map(CellsBuilder::finish).collect();
        Ok(Some(RecordBatch { mixed, ..RecordBatch::new(rows, lines, columns) }))
    }
}
