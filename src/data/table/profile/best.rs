//! The options by which the most columns of a file are numbers or dates.

use super::Row;
use super::reading::CellReading;
use super::sample::{ROWS, Sample};
use super::surveyed::Surveyed;
use crate::data::table::Opened;
use crate::data::table::options::Options;
use crate::data::table::read::{Dialect, Format};
use crate::error::Result;

/// Reads a file with the form of numbers and the words for missing cells that make more of its columns readable, or that are no
/// classes of a target, if there are some: `options` and `best` get them. What the options have already stays.
pub(super) fn read(options: &mut Options, format: Format, best: &mut CellReading) -> Result<Surveyed> {
    let found = Surveyed::read(options, format)?;
    let mut sample = Sample::read(&found.table)?;
    let mut reading = CellReading::default();
    if options.decimal.is_none() && options.thousands.is_none() {
        reading = found.other_form(&sample, format);
    }
    let mut better = options.clone();
    // The form comes first: what is no number in it is a word.
    let mut read = None;
    if reading != CellReading::default() {
        (better.decimal, better.thousands) = (reading.decimal, reading.thousands);
        let again = Surveyed::read(&better, format)?;
        sample = Sample::read(&again.table)?;
        read = Some(again);
    }
    if options.na_values.is_empty() {
        read.as_ref().unwrap_or(&found).add_words(&mut reading, &sample, &options.target.0);
        better.na_values = reading.na_values();
    }
    if better.na_values != options.na_values {
        read = Some(Surveyed::read(&better, format)?);
    }
    match read {
        Some(read) if read.count_readable() > found.count_readable() || !reading.marks.is_empty() => {
            (*options, *best) = (better, reading);
            Ok(read)
        }
        _ => Ok(found),
    }
}

/// The words in the first cells of a column that are missing cells in every table, but for the empty text.
pub(super) fn known_words(table: &Opened, column: &str) -> Result<Vec<String>> {
    let Some(place) = table.columns().iter().position(|own| own == column) else { return Ok(Vec::new()) };
    let known: Vec<&str> = Dialect::default().known_words().collect();
    let (mut records, mut row, mut words) = (table.as_written()?.records()?, Row::default(), Vec::new());
    for _ in 0..ROWS {
        if !records.next(&mut row)? {
            break;
        }
        let word = row.value(place).text().filter(|text| !text.is_empty() && known.contains(text));
        if let Some(word) = word.filter(|word| !words.iter().any(|own| own == word)) {
            words.push(word.to_owned());
        }
    }
    Ok(words)
}
