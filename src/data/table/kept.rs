//! The rows of a table as columns, which are read from its file once: in memory, or in an unnamed file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::{ColumnCells, RecordBatch};
use super::batch_bytes;
use super::read::{self, CompleteBatches, RecordBatchReader, TableFile, WantedColumns};
use crate::data::stored::StoredWriter;
use crate::distributed::Single;
use crate::error::{Error, Result};

/// The bytes that the text of a table may take however little memory it is given.
const LEAST: usize = 1 << 24;

/// A table that was read.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) columns: Vec<String>,
    /// The rows that were left out, since a required column has no value.
    pub(super) left_out: u64,
    batches: Vec<Mutex<KeptBatch>>,
    file: Option<File>,
}

#[derive(Debug)]
enum KeptBatch {
    Memory(Arc<RecordBatch>),
    /// A batch without its numbers and codes, which are in the file from this place on.
    File {
        rest: RecordBatch,
        place: u64,
    },
    /// Nothing more: it was taken.
    Taken,
}

impl Kept {
    /// Reads a table; nothing where its text takes more than a quarter of `memory` MiB, or its columns have no room on the disk.
    pub(super) fn read(file: &TableFile<'_>, mut wanted: WantedColumns, memory: u64) -> Result<Option<Self>> {
        let mut file = *file;
        loop {
            let mut reader = CompleteBatches::new(read::open_batches(&file, &wanted)?, file.dialect);
            if !reader.is_shared() {
                file.ranks = &Single;
            }
            let (mut keeper, mut kinds) = (Keeper::new(memory), Vec::new());
            let mut next = reader.next()?;
            while let Some(batch) = next {
                add_kinds(&mut kinds, &batch);
                // A batch is written to the file while the next one is decoded. Ranks that read together speak in turns.
                let (is_here, more) = if reader.is_shared() {
                    (keeper.add(batch), None)
                } else {
                    let (is_here, more) = rayon::join(|| keeper.add(batch), || reader.next());
                    (is_here, Some(more))
                };
                if !reader.is_on_all_ranks(is_here)? {
                    keeper.say_why_not(file.input.path());
                    return Ok(None);
                }
                next = more.unwrap_or_else(|| reader.next())?;
            }
            keeper.batches.sort_by_key(KeptBatch::line);
            // Names of categories are text, also in the batches where all of them look like numbers.
            let names = reader.columns().iter().zip(&kinds);
            let mixed = names.filter(|(name, kinds)| kinds.are_mixed() && !wanted.text.contains(name));
            let mixed: Vec<String> = mixed.map(|(name, _)| name.clone()).collect();
            if mixed.is_empty() {
                let (columns, Keeper { batches, file, .. }) = (reader.columns().to_vec(), keeper);
                let batches = batches.into_iter().map(Mutex::new).collect();
                return Ok(Some(Self { columns, left_out: reader.left_out, batches, file }));
            }
            wanted.text.extend(mixed);
        }
    }

    /// These batches, in memory.
    #[cfg(test)]
    pub(super) fn of(batches: Vec<RecordBatch>) -> Self {
        let keep = |batch| Mutex::new(KeptBatch::Memory(Arc::new(batch)));
        Self {
            columns: Vec::new(),
            left_out: 0,
            batches: batches.into_iter().map(keep).collect(),
            file: None,
        }
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> u64 {
        let rows = |batch: &Mutex<KeptBatch>| match &*batch.lock().unwrap_or_else(PoisonError::into_inner) {
            KeptBatch::Memory(batch) => batch.rows,
            KeptBatch::File { rest, .. } => rest.rows,
            KeptBatch::Taken => 0,
        };
        self.batches.iter().map(|batch| rows(batch) as u64).sum()
    }

    /// A batch by its number; none behind the last.
    pub(super) fn batch(&self, index: usize) -> Result<Option<Arc<RecordBatch>>> {
        let Some(batch) = self.batches.get(index) else { return Ok(None) };
        let batch = batch.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match (&*batch, &self.file) {
            (KeptBatch::Memory(batch), _) => Some(batch.clone()),
            (KeptBatch::File { rest, place }, Some(file)) => {
                let read = read_back(file, rest, *place);
                Some(Arc::new(read.map_err(Error::io("read the rows in", &StoredWriter::place()))?))
            }
            _ => None,
        })
    }

    /// As [`Self::batch`], but drops the stored copy.
    pub(super) fn take(&self, index: usize) -> Result<Option<Arc<RecordBatch>>> {
        let batch = self.batch(index);
        if let Some(taken) = self.batches.get(index) {
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = KeptBatch::Taken;
        }
        batch
    }
}

impl KeptBatch {
    /// The line of the first row.
    fn line(&self) -> u64 {
        match self {
            Self::Memory(batch) => batch.line(0),
            Self::File { rest, .. } => rest.line(0),
            Self::Taken => 0,
        }
    }
}

/// The kinds of cells that a column has in any batch.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    numbers: bool,
    dates: bool,
    others: bool,
}

impl Kinds {
    fn are_mixed(self) -> bool {
        usize::from(self.numbers) + usize::from(self.dates) + usize::from(self.others) > 1
    }
}

fn add_kinds(kinds: &mut Vec<Kinds>, batch: &RecordBatch) {
    kinds.resize(kinds.len().max(batch.columns.len()), Kinds::default());
    for (kinds, cells) in kinds.iter_mut().zip(&batch.columns) {
        match cells {
            ColumnCells::Numbers(numbers) => kinds.numbers |= numbers.iter().any(|number| !number.is_nan()),
            ColumnCells::Dates(days) => kinds.dates |= days.iter().any(|days| !days.is_nan()),
            ColumnCells::Coded(_) => kinds.others = true,
            ColumnCells::Absent => {}
        }
    }
    for column in &batch.mixed {
        kinds[*column] = Kinds { numbers: true, dates: true, others: true };
    }
}

/// Keeps batches in memory while there is room, then in a file.
struct Keeper {
    batches: Vec<KeptBatch>,
    file: Option<File>,
    /// The end of the file.
    end: u64,
    /// The bytes that are left in memory, for whole batches and for what is not in the file.
    whole: usize,
    rest: usize,
    bytes: Vec<u8>,
    /// Why a batch was not kept, where it was not.
    refused: Option<String>,
}

impl Keeper {
    fn new(memory: u64) -> Self {
        let quarter = usize::try_from(memory.saturating_mul(1 << 18)).unwrap_or(usize::MAX);
        let rest = quarter.max(LEAST);
        Self {
            batches: Vec::new(),
            file: None,
            end: 0,
            whole: quarter,
            rest,
            bytes: Vec::new(),
            refused: None,
        }
    }

    /// Adds a batch; false where there is no room for it.
    fn add(&mut self, batch: RecordBatch) -> bool {
        // Blank lines alone, or rows that were left out.
        if batch.rows == 0 {
            return true;
        }
        let bytes = batch.bytes();
        if self.file.is_none() && bytes <= self.whole {
            self.whole -= bytes;
            self.batches.push(KeptBatch::Memory(Arc::new(batch)));
            return true;
        }
        self.refused = self.add_to_file(batch).err();
        self.refused.is_none()
    }

    fn add_to_file(&mut self, mut batch: RecordBatch) -> std::result::Result<(), String> {
        let place = StoredWriter::place();
        let no_file = |error: std::io::Error| {
            format!(
                "its columns cannot be kept in {} ({error}); TMPDIR names another folder",
                place.display()
            )
        };
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&place).map_err(no_file)?,
        };
        self.bytes.clear();
        batch_bytes::take(&mut batch, &mut self.bytes);
        let Some(rest) = self.rest.checked_sub(batch.bytes()) else {
            return Err("its text takes more memory than it may; a larger `data.memory` keeps it".to_owned());
        };
        self.rest = rest;
        file.write_all_at(&self.bytes, self.end).map_err(no_file)?;
        self.batches.push(KeptBatch::File { rest: batch, place: self.end });
        self.end += self.bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Says why the batches are not kept, if it was not another rank that had no room.
    fn say_why_not(&self, path: &Path) {
        if let Some(why) = &self.refused {
            tracing::info!("{}: each pass over it parses the file: {why}", path.display());
        }
    }
}

/// A batch whose numbers and codes lie in a file from `place` on.
fn read_back(file: &File, rest: &RecordBatch, place: u64) -> std::io::Result<RecordBatch> {
    let mut bytes = vec![0; batch_bytes::count(rest)];
    file.read_exact_at(&mut bytes, place)?;
    let mut batch = rest.clone();
    batch_bytes::put_back(&mut batch, &bytes);
    Ok(batch)
}
