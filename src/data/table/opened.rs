//! A table that can be read several times.

use std::path::Path;
use std::sync::Arc;

use super::batch::{Coded, ColumnCells, LineNumbers, RecordBatch};
use super::encode::RowEncoder;
use super::encoded_blocks::{BlockKeys, ChunkSize, EncodedBlocks};
use super::kept::Kept;
use super::na_values::NaValues;
use super::options::Options;
use super::read::{self, CompleteRecords, Dialect, Format, Input, Records, TableFile, WantedColumns};
use super::row::Row;
use crate::data::Request;
use crate::distributed::Single;
use crate::error::{Error, Result};

/// The most rows of a batch that is read row by row.
const ROWS: usize = 1024;

/// A table with known columns that can be read several times.
#[derive(Debug, Clone)]
pub struct Opened {
    input: Input,
    pub(super) format: Format,
    pub(super) dialect: Dialect,
    columns: Vec<String>,
    /// The rows as columns, where they are kept.
    kept: Option<Arc<Kept>>,
}

impl Opened {
    /// Opens a table. `wanted` are the columns to look for, in formats whose rows name their cells.
    pub fn new(input: Input, format: Format, dialect: Dialect, wanted: Option<&[String]>) -> Result<Self> {
        let columns = match wanted {
            Some(wanted) if format == Format::Jsonl => wanted.to_vec(),
            _ => read::open(&input, format, &dialect, None)?.columns().to_vec(),
        };
        Ok(Self { input, format, dialect, columns, kept: None })
    }

    /// Reads a table once, and keeps its rows as columns; nothing where they take too much memory.
    pub(super) fn kept(
        input: &Input,
        format: Format,
        options: &Options,
        request: &Request<'_>,
    ) -> Result<Option<Self>> {
        let dialect = options.dialect(request.task);
        let file = TableFile { input, format, dialect: &dialect, ranks: request.ranks };
        Self::kept_with(&file, options.wanted(request), options.memory)
    }

    /// The same, with columns that are read in a way of their own, in so many MiB of memory.
    pub(super) fn kept_with(
        file: &TableFile<'_>,
        wanted: WantedColumns,
        memory: u64,
    ) -> Result<Option<Self>> {
        let Some(kept) = Kept::read(file, wanted, memory)? else { return Ok(None) };
        let (input, dialect) = (file.input.clone(), file.dialect.clone());
        let columns = kept.columns.clone();
        Ok(Some(Self { input, format: file.format, dialect, columns, kept: Some(Arc::new(kept)) }))
    }

    /// What `load` makes of a table. It is kept as columns, if there is room and no error.
    pub(super) fn load<T>(
        file: &TableFile<'_>,
        wanted: WantedColumns,
        memory: u64,
        load: impl Fn(&Self) -> Result<T>,
    ) -> Result<T> {
        let open = || Self::new(file.input.clone(), file.format, file.dialect.clone(), None);
        let Ok(Some(kept)) = Self::kept_with(file, wanted, memory) else { return load(&open()?) };
        // Kept numbers have no text, which an error may show: it is that of the file, read row by row. What there was to
        // warn of was said.
        load(&kept).or_else(|_| {
            tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || load(&open()?))
        })
    }

    /// Whether its rows are kept as columns.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// The rows that were left out, where the others are kept.
    pub(super) fn left_out(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.left_out)
    }

    /// The number of its rows, where they are kept.
    pub(super) fn rows(&self) -> Option<u64> {
        self.kept.as_ref().map(|kept| kept.rows())
    }

    /// The column names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The same file with all of its rows, none of whose text stands for a missing cell but the empty one.
    pub(super) fn as_written(&self) -> Result<Self> {
        let dialect = Dialect {
            keep_na: true,
            na_values: NaValues::default(),
            required_columns: Vec::new(),
            ..self.dialect.clone()
        };
        Self::new(self.input.clone(), self.format, dialect, Some(&self.columns))
    }

    /// Reads the rows from the start.
    pub fn records(&self) -> Result<Box<dyn Records>> {
        Ok(Box::new(self.complete_records()?))
    }

    fn complete_records(&self) -> Result<CompleteRecords> {
        let records = read::open(&self.input, self.format, &self.dialect, Some(&self.columns))?;
        Ok(CompleteRecords::new(records, &self.dialect))
    }

    /// Reads the rows from the start, some at a time.
    pub(super) fn batches(&self) -> Result<Batches> {
        Ok(match &self.kept {
            Some(kept) => Batches::Kept { kept: kept.clone(), next: 0, is_last: false },
            None => Batches::Read { records: self.complete_records()?, failed: None },
        })
    }

    /// Reads the rows from the start for the last time: their memory is free as soon as they are used.
    pub(super) fn last_batches(&self) -> Result<Batches> {
        let mut batches = self.batches()?;
        if let Batches::Kept { is_last, .. } = &mut batches {
            *is_last = true;
        }
        Ok(batches)
    }

    /// The rows as `encoder` encodes them, which knows the columns of this table, with their keys.
    pub(crate) fn encoded<'a, K: Send>(
        &'a self,
        encoder: RowEncoder<'a>,
        keys: BlockKeys<K>,
        size: ChunkSize,
    ) -> Result<EncodedBlocks<'a, K>> {
        let is_key = |column: usize| keys.places.contains(&column);
        let names = |is_wanted: &dyn Fn(usize) -> bool| {
            let columns = self.columns.iter().enumerate().filter(|(column, _)| is_wanted(*column));
            columns.map(|(_, name)| name.clone()).collect()
        };
        let wanted = WantedColumns {
            text: names(&|column| is_key(column) || encoder.needs_text(column)),
            ignored: names(&|column| !is_key(column) && !encoder.uses(column)),
        };
        let Self { input, format, dialect, .. } = self;
        let file = TableFile { input, format: *format, dialect, ranks: &Single };
        let reader = read::open_batches(&file, &wanted)?;
        Ok(EncodedBlocks::new(reader, self.columns.clone(), encoder, keys, size))
    }

    /// The path, for messages.
    pub fn path(&self) -> &Path {
        self.input.path()
    }
}

/// The rows of a table, some at a time.
pub(super) enum Batches {
    /// Those that are kept, from the batch `next` on.
    Kept { kept: Arc<Kept>, next: usize, is_last: bool },
    /// Those of a file, and why no row follows, if that is an error.
    Read { records: CompleteRecords, failed: Option<Error> },
}

impl Batches {
    /// These batches.
    #[cfg(test)]
    pub(super) fn of(batches: Vec<RecordBatch>) -> Self {
        Self::Kept { kept: Arc::new(Kept::of(batches)), next: 0, is_last: false }
    }

    /// The rows so far that were left out, since a required column has no value.
    pub(super) fn left_out(&self) -> u64 {
        match self {
            Self::Kept { kept, .. } => kept.left_out,
            Self::Read { records, .. } => records.left_out,
        }
    }

    /// The next rows; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Arc<RecordBatch>>> {
        match self {
            Self::Kept { kept, next, is_last } => {
                *next += 1;
                if *is_last { kept.take(*next - 1) } else { kept.batch(*next - 1) }
            }
            Self::Read { failed, .. } if failed.is_some() => failed.take().map_or(Ok(None), Err),
            Self::Read { records, failed } => {
                let mut rows = RowsAsColumns::new(records.columns().len());
                let mut row = Row::default();
                while rows.lines.len() < ROWS && failed.is_none() {
                    match records.next(&mut row) {
                        Ok(true) => rows.push(&row),
                        Ok(false) => break,
                        Err(error) => *failed = Some(error),
                    }
                }
                match failed.take() {
                    Some(error) if rows.lines.is_empty() => Err(error),
                    error => {
                        *failed = error;
                        Ok(rows.finish())
                    }
                }
            }
        }
    }
}

/// Collects rows as columns.
struct RowsAsColumns {
    lines: Vec<u64>,
    columns: Vec<Coded>,
}

impl RowsAsColumns {
    fn new(columns: usize) -> Self {
        Self { lines: Vec::new(), columns: vec![Coded::default(); columns] }
    }

    fn push(&mut self, row: &Row) {
        self.lines.push(row.line);
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.push(row.value(index));
        }
    }

    /// The rows, if there are any.
    fn finish(self) -> Option<Arc<RecordBatch>> {
        let columns = self.columns.into_iter().map(ColumnCells::Coded).collect();
        let rows = self.lines.len();
        (rows > 0).then(|| Arc::new(RecordBatch::new(rows, LineNumbers::Each(self.lines), columns)))
    }
}
