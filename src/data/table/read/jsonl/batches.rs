//! JSON lines as batches of columns. The lines of a block become columns without a tree or a row between them, and keys
//! are compared with that of the same place in the line before. `serde_json` reads every number to the bit.

use std::fmt;

use memchr::memchr;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::cell::CellSeed;
use super::error::no_object;
use super::{LONGEST, MOST_CELLS_A_VALUE, SMALL, Text, twice};
use crate::data::table::batch::{CellsBuilder, ColumnCells, LineNumbers, RecordBatch};
use crate::data::table::read::batches::{RecordBatchReader, WantedColumns};
use crate::data::table::read::blocks::{Block, Blocks, RecordEnds};
use crate::data::table::read::column_sentinels::{ColumnSentinels, TableSentinels};
use crate::data::table::read::dialect::Dialect;
use crate::data::table::read::input::Input;
use crate::data::table::read::pipeline::Pipeline;
use crate::data::table::read::records::{at_line, require_few};
use crate::data::table::value::Value;
use crate::error::Result;

/// The dialect of a file, and the columns with uses of their own.
struct LineFormat {
    path: std::path::PathBuf,
    dialect: Dialect,
    sentinels: TableSentinels,
    /// The columns that keep their cells, and those that are not read.
    kept: FxHashSet<String>,
    ignored: FxHashSet<String>,
}

/// The rows of a file, as batches of columns.
pub(in crate::data::table::read) struct JsonlBatches {
    format: LineFormat,
    blocks: Pipeline<Result<BlockColumns>>,
    /// The columns so far, in the order of their first appearance.
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
}

impl JsonlBatches {
    pub(in crate::data::table::read) fn open(
        input: &Input,
        dialect: &Dialect,
        wanted: &WantedColumns,
    ) -> Result<Self> {
        let path = input.path().to_path_buf();
        let mut blocks = Blocks::new(path.clone(), input.bytes()?, RecordEnds::Lines);
        blocks.longest = usize::try_from(LONGEST).unwrap_or(usize::MAX);
        blocks.too_long = format!("longer than {LONGEST} bytes");
        let set = |names: &[String]| names.iter().cloned().collect();
        let format = LineFormat {
            path,
            dialect: dialect.clone(),
            sentinels: TableSentinels::new(dialect),
            kept: set(&wanted.text),
            ignored: set(&wanted.ignored),
        };
        Ok(Self { format, blocks: Pipeline::new(blocks), columns: Vec::new(), places: FxHashMap::default() })
    }
}

impl RecordBatchReader for JsonlBatches {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let format = &self.format;
        let Some(block) = self.blocks.next(&|block| BlockColumns::read(format, block))? else {
            return Ok(None);
        };
        let BlockColumns { columns, lines, .. } = block?;
        let mut cells = vec![ColumnCells::Absent; self.columns.len()];
        let mut mixed = Vec::new();
        for column in columns {
            let place = *self.places.entry(column.name).or_insert_with_key(|name| {
                self.columns.push(name.clone());
                cells.push(ColumnCells::Absent);
                self.columns.len() - 1
            });
            if column.cells.is_mixed() {
                mixed.push(place);
            }
            cells[place] = if column.is_ignored { ColumnCells::Absent } else { column.cells.finish() };
        }
        require_few(&self.format.path, self.columns.len())?;
        Ok(Some(RecordBatch { mixed, ..RecordBatch::new(lines.len(), LineNumbers::Each(lines), cells) }))
    }
}

/// The columns of a block, in the order of their first appearance.
#[derive(Default)]
struct BlockColumns {
    columns: Vec<BlockColumn>,
    places: FxHashMap<String, usize>,
    lines: Vec<u64>,
    /// The number of values.
    filled: u64,
}

struct BlockColumn {
    name: String,
    /// The further values that are missing in it.
    sentinels: Option<ColumnSentinels>,
    /// Whether its numbers keep their text.
    is_kept: bool,
    is_ignored: bool,
    cells: CellsBuilder,
    /// The number of lines up to the last that has it.
    seen: usize,
}

impl BlockColumns {
    fn read(format: &LineFormat, block: &Block) -> Result<Self> {
        let (mut read, mut at, mut number) = (Self::default(), 0, block.line);
        let bytes = if block.line == 1 { block.bytes.strip_prefix(b"\xef\xbb\xbf") } else { None };
        let bytes = bytes.unwrap_or(&block.bytes);
        while at < bytes.len() {
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            let line = &bytes[at..end];
            if !line.trim_ascii().is_empty() {
                read.push_line(format, line, number)?;
            }
            (at, number) = (end + 1, number + 1);
        }
        let rows = read.lines.len();
        read.columns.iter_mut().for_each(|column| column.pad(rows));
        Ok(read)
    }

    fn push_line(&mut self, format: &LineFormat, line: &[u8], number: u64) -> Result<()> {
        let text = std::str::from_utf8(line)
            .map_err(|_| at_line(&format.path, number, "not UTF-8; save the file as UTF-8"))?;
        self.lines.push(number);
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = LineSeed { format, block: self }.deserialize(&mut reader).and_then(|()| reader.end());
        read.map_err(|error| no_object(&format.path, number, &error))?;
        let cells = (self.lines.len() * self.columns.len()) as u64;
        if cells > (SMALL / 10).max(self.filled.saturating_mul(MOST_CELLS_A_VALUE)) {
            return Err(at_line(&format.path, number, "the lines have too many keys of their own"));
        }
        Ok(())
    }

    /// The place of a column, which is often `next`.
    fn place(&mut self, format: &LineFormat, name: &str, next: usize) -> usize {
        if self.columns.get(next).is_some_and(|column| column.name == name) {
            return next;
        }
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.columns.len();
        self.places.insert(name.to_owned(), place);
        let (sentinels, is_kept) = (format.sentinels.of(name), format.kept.contains(name));
        let (is_ignored, cells) = (format.ignored.contains(name), CellsBuilder::new(is_kept));
        self.columns.push(BlockColumn {
            name: name.to_owned(),
            sentinels,
            is_kept,
            is_ignored,
            cells,
            seen: 0,
        });
        place
    }
}

impl BlockColumn {
    /// Adds missing cells up to so many.
    fn pad(&mut self, rows: usize) {
        while !self.is_ignored && self.cells.len() < rows {
            self.cells.push(Value::Missing);
        }
    }
}

/// Reads a line into the columns of its block.
struct LineSeed<'a> {
    format: &'a LineFormat,
    block: &'a mut BlockColumns,
}

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { format, block } = self;
        let (rows, mut next) = (block.lines.len(), 0);
        while let Some(Text(name)) = map.next_key()? {
            let place = block.place(format, &name, next);
            next = place + 1;
            block.filled += 1;
            let column = &mut block.columns[place];
            if std::mem::replace(&mut column.seen, rows) == rows {
                return Err(twice(&name));
            }
            if column.is_ignored {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            column.pad(rows - 1);
            let BlockColumn { cells, sentinels, is_kept, .. } = column;
            let set = |value: Value<'_>| {
                let missing = sentinels.as_ref().is_some_and(|own| own.has(value));
                cells.push(if missing { Value::Missing } else { value });
            };
            let seed = CellSeed { dialect: &format.dialect, keeps_text: *is_kept, set };
            map.next_value_seed(seed).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
