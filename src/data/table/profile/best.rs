//! The options by which the most columns of a file are numbers or dates.

use super::Row;
use super::reading::CellReading;
use super::sample::{ROWS, Sample};
use super::surveyed::Surveyed;
use crate::data::table::Opened;
use crate::data::table::options::Options;
use crate::data::table::read::Format;
use crate::error::Result;

/// Reads a file with the form of numbers that makes more of its columns numbers, and with the words for missing cells that make
/// more of them readable or that are no classes of a target, if there are some: `options` and `best` get them. What the options
/// have already stays.
pub(super) fn read(options: &mut Options, format: Format, best: &mut CellReading) -> Result<Surveyed> {
    let found = Surveyed::read(options, format)?;
    // The form comes first: what is no number in it is a word.
    let found = with_form(found, options, format, best)?;
    if !options.na_values.is_empty() {
        return Ok(found);
    }
    let mut reading = best.clone();
    found.add_words(&mut reading, &Sample::read(&found.table)?, &options.target.0);
    let of_marks = CellReading { marks: reading.marks.clone(), ..best.clone() };
    for reading in [reading, of_marks].into_iter().filter(|reading| !reading.na_values().is_empty()) {
        let better = Options { na_values: reading.na_values(), ..options.clone() };
        let read = Surveyed::read(&better, format)?;
        // Marks alone make no column readable.
        if read.count_readable() > found.count_readable() || reading.all_words().eq(&reading.marks) {
            (*options, *best) = (better, reading);
            return Ok(read);
        }
    }
    Ok(found)
}

/// The file in the form of numbers that makes more of its columns mostly numbers, if one does; `options` and `best` get it.
fn with_form(
    found: Surveyed,
    options: &mut Options,
    format: Format,
    best: &mut CellReading,
) -> Result<Surveyed> {
    if options.decimal.is_some() || options.thousands.is_some() {
        return Ok(found);
    }
    let reading = found.other_form(&Sample::read(&found.table)?, format);
    if reading == CellReading::default() || reading.decimal == reading.thousands {
        return Ok(found);
    }
    let better = Options { decimal: reading.decimal, thousands: reading.thousands, ..options.clone() };
    let read = Surveyed::read(&better, format)?;
    if read.count_numbers() <= found.count_numbers() {
        return Ok(found);
    }
    (*options, *best) = (better, reading);
    Ok(read)
}

/// The words in the first cells of a column that are missing cells in every table, but for the empty text.
pub(super) fn known_words(table: &Opened, column: &str) -> Result<Vec<String>> {
    let Some(place) = table.columns().iter().position(|own| own == column) else { return Ok(Vec::new()) };
    let known: Vec<&str> = table.dialect.known_words().collect();
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
