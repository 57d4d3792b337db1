//! A JSON object a line, <https://jsonlines.org>.

pub(super) mod batches;
mod cell;
mod error;

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use self::cell::CellSeed;
use self::error::no_object;
use super::dialect::Dialect;
use super::input::Input;
use super::records::{Records, at_line, quoted, require_few};
use crate::data::table::row::Row;
use crate::data::table::value::Value;
use crate::error::{Error, Result};

/// The longest line.
const LONGEST: u64 = 1 << 25;

/// A table with more cells than this for each of its values is none: its lines have keys of their own.
const MOST_CELLS_A_VALUE: u64 = 100;
/// A table of this many cells may be as empty as it likes.
const SMALL: u64 = 10_000_000;

pub(super) struct Jsonl {
    lines: Lines,
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
    /// The last line that has each column.
    seen: Vec<u64>,
    dialect: Dialect,
}

impl Jsonl {
    /// Opens a table whose columns are `wanted`, or all that any line names, in the order of their first appearance.
    pub(super) fn open(input: &Input, dialect: &Dialect, wanted: Option<&[String]>) -> Result<Self> {
        let columns = match wanted {
            Some(wanted) => wanted.to_vec(),
            None => names(input)?,
        };
        let places = columns.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        let seen = vec![0; columns.len()];
        Ok(Self { lines: Lines::open(input)?, columns, places, seen, dialect: dialect.clone() })
    }
}

impl Records for Jsonl {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        row.reset(self.columns.len());
        if !self.lines.advance()? {
            return Ok(false);
        }
        row.line = self.lines.number;
        let Self { places, seen, dialect, .. } = self;
        let seed = Object { places, seen, dialect, row };
        self.lines.read(seed).map(|()| true)
    }
}

/// The names that the lines of a file have.
fn names(input: &Input) -> Result<Vec<String>> {
    let (mut lines, mut columns) = (Lines::open(input)?, Vec::new());
    let mut known: FxHashMap<String, u64> = FxHashMap::default();
    let mut filled = 0;
    while lines.advance()? {
        let line = lines.number;
        lines.read(NamesSeed { columns: &mut columns, known: &mut known, filled: &mut filled, line })?;
        require_few(&lines.path, columns.len())?;
        let cells = lines.number.saturating_mul(columns.len() as u64);
        if cells > SMALL.max(filled.saturating_mul(MOST_CELLS_A_VALUE)) {
            let problem = format!(
                "the lines so far have {} keys, and {filled} values in all; a table has a value in every \
                 {MOST_CELLS_A_VALUE}th cell at least",
                columns.len()
            );
            return Err(at_line(&lines.path, lines.number, problem));
        }
    }
    if columns.is_empty() {
        return Err(Error::data(&lines.path, "the file is empty; it has a JSON object a line"));
    }
    Ok(columns)
}

/// Lines that are not blank.
struct Lines {
    path: PathBuf,
    source: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn open(input: &Input) -> Result<Self> {
        let source = BufReader::with_capacity(1 << 16, input.bytes()?);
        Ok(Self { path: input.path().to_path_buf(), source, line: Vec::new(), number: 0 })
    }

    fn advance(&mut self) -> Result<bool> {
        loop {
            self.line.clear();
            let mut source = self.source.by_ref().take(LONGEST);
            let read = source.read_until(b'\n', &mut self.line);
            if read.map_err(|error| at_line(&self.path, self.number + 1, error))? == 0 {
                return Ok(false);
            }
            self.number += 1;
            if self.line.len() as u64 == LONGEST {
                return Err(at_line(&self.path, self.number, format!("longer than {LONGEST} bytes")));
            }
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn read<'a, S: DeserializeSeed<'a>>(&'a self, seed: S) -> Result<S::Value> {
        let text = std::str::from_utf8(&self.line)
            .map_err(|_| at_line(&self.path, self.number, "not UTF-8; save the file as UTF-8"))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        read.map_err(|error| no_object(&self.path, self.number, &error))
    }
}

/// Collects the names of an object.
struct NamesSeed<'a> {
    columns: &'a mut Vec<String>,
    /// The last line that has each name.
    known: &'a mut FxHashMap<String, u64>,
    /// The number of values.
    filled: &'a mut u64,
    line: u64,
}

impl<'de> DeserializeSeed<'de> for NamesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NamesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            match self.known.get_mut(name.as_ref()) {
                Some(line) if *line == self.line => return Err(twice(&name)),
                Some(line) => *line = self.line,
                None => {
                    self.known.insert(name.to_string(), self.line);
                    self.columns.push(name.into_owned());
                }
            }
            map.next_value::<IgnoredAny>()?;
            *self.filled += 1;
        }
        Ok(())
    }
}

/// Reads an object into a row.
struct Object<'a> {
    places: &'a FxHashMap<String, usize>,
    seen: &'a mut [u64],
    dialect: &'a Dialect,
    row: &'a mut Row,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            match self.places.get(name.as_ref()) {
                Some(place) => {
                    if std::mem::replace(&mut self.seen[*place], self.row.line) == self.row.line {
                        return Err(twice(&name));
                    }
                    let row = &mut *self.row;
                    let set = |value: Value<'_>| row.set(*place, value);
                    let cell = CellSeed { dialect: self.dialect, keeps_text: true, set };
                    map.next_value_seed(cell)
                        .map_err(|error| A::Error::custom(format!("column {}: {error}", quoted(&name))))?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The error of a key that a line has twice: which of the values is meant?
fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format!("{} twice; remove one", quoted(name)))
}

/// A text of JSON; it is borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
