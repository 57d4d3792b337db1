//! Parquet files of several row groups: kept, and shared out to ranks.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::Rng;

use super::super::*;
use super::{bits, classes, options, same};
use crate::data::Preparation;
use crate::distributed::threads::ThreadRanks;
use crate::rng::{Purpose, Stream};

/// Writes a table of seven columns of numbers, one of names and a target, with a row group of each of these lengths.
fn write_parquet(path: &Path, groups: &[usize]) {
    let columns = ["c0", "c1", "c2", "c3", "c4", "c5", "c6"].map(|name| format!("optional double {name};"));
    let schema = format!("message t {{ {} required binary n (UTF8); required int32 y; }}", columns.join(" "));
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let pages =
        WriterProperties::builder().set_data_page_size_limit(4096).set_dictionary_page_size_limit(4096);
    let file = fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, pages.build().into()).unwrap();
    let mut random = Stream::new(1, Purpose::Split, 0);
    for rows in groups.iter().copied() {
        let mut group = writer.next_row_group().unwrap();
        while let Some(mut column) = group.next_column().unwrap() {
            if let ColumnWriter::ByteArrayColumnWriter(_) = column.untyped() {
                let names =
                    (0..rows).map(|_| ByteArray::from(["red", "green", "blue"][random.random_range(0..3)]));
                column.typed::<ByteArrayType>().write_batch(&names.collect::<Vec<_>>(), None, None).unwrap();
            } else if let ColumnWriter::Int32ColumnWriter(_) = column.untyped() {
                let classes: Vec<i32> = (0..rows).map(|_| random.random_range(0..3)).collect();
                column.typed::<Int32Type>().write_batch(&classes, None, None).unwrap();
            } else {
                let levels: Vec<i16> = (0..rows).map(|row| i16::from(row % 50 > 0)).collect();
                let present = levels.iter().filter(|level| **level > 0);
                let numbers: Vec<f64> = present.map(|_| random.random_range(-1e6..1e6)).collect();
                column.typed::<DoubleType>().write_batch(&numbers, Some(&levels), None).unwrap();
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn parquet_of_many_pages_is_the_same_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    write_parquet(&path, &[9000, 3000]);
    for task in [classes(), Task::Values] {
        assert!(same(&options(&path, "y", "missing = 'mean'"), Format::Parquet, task));
    }
}

/// What each of several ranks has loaded, and how many messages they have sent.
struct Loads {
    rows: Vec<Result<Vec<u64>>>,
    messages: usize,
}

/// Loads a table on so many ranks together: the training rows of each.
fn on_ranks(size: usize, options: &[Options]) -> Loads {
    let plan: Preparation = toml::from_str("validation = 0.25").unwrap();
    let load = |rank: ThreadRanks, options: &Options| {
        let request = Request { seed: 1, ranks: &rank, ..Request::new(Task::Values, &plan) };
        match load(options, Format::Parquet, &request)? {
            Loaded::Encoded(rows) => Ok(bits(Some(&rows.train))),
            Loaded::Raw(_) => panic!("rows that are not encoded"),
        }
    };
    let ranks = ThreadRanks::new(size);
    let messages = Arc::clone(&ranks[0].broadcasts);
    let rows = std::thread::scope(|scope| {
        let ranks = ranks.into_iter().zip(options.iter().cycle());
        let threads: Vec<_> = ranks.map(|(rank, options)| scope.spawn(move || load(rank, options))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    Loads { rows, messages: messages.load(Ordering::Relaxed) }
}

#[test]
fn ranks_that_share_a_file_out_have_the_rows_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    // A row group has up to two batches; the last ranks have none in the last round.
    write_parquet(&path, &[70_000, 10, 3000, 66_000, 1]);
    for more in ["", "memory = 0"] {
        let options = options(&path, "y", &format!("missing = 'mean'\n{more}"));
        let alone = on_ranks(1, std::slice::from_ref(&options)).rows.remove(0).unwrap();
        for size in [2, 3, 7] {
            let shared = on_ranks(size, std::slice::from_ref(&options));
            // Two batches of two row groups, and one of each other.
            assert_eq!(shared.messages, 7, "{size} ranks");
            for rows in shared.rows {
                assert!(rows.unwrap() == alone, "{size} ranks, {more}");
            }
        }
    }
}

#[test]
fn ranks_read_alone_what_they_cannot_share() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_parquet(&at("a.parquet"), &[500, 500, 500]);
    write_parquet(&at("b.parquet"), &[500, 1000]);
    let mut bytes = fs::read(at("a.parquet")).unwrap();
    // Values of the second row group.
    let middle = bytes.len() / 2;
    bytes[middle - 1000..middle + 1000].fill(0xff);
    fs::write(at("damaged.parquet"), bytes).unwrap();
    let of = |name: &str| options(&at(name), "y", "missing = 'mean'");
    let [a, b, damaged, none] = ["a.parquet", "b.parquet", "damaged.parquet", "none.parquet"].map(of);

    let alone = |options: &Options| on_ranks(1, std::slice::from_ref(options)).rows.remove(0);
    let Loads { rows: both, messages } = on_ranks(2, &[a.clone(), b.clone()]);
    assert_eq!(messages, 0);
    assert!(
        *both[0].as_ref().unwrap() == alone(&a).unwrap() && *both[1].as_ref().unwrap() == alone(&b).unwrap()
    );
    let Loads { rows: one, messages } = on_ranks(2, &[a.clone(), none]);
    assert_eq!(messages, 0);
    assert!(one[0].is_ok() && one[1].as_ref().unwrap_err().to_string().contains("none.parquet"));
    let error = alone(&damaged).unwrap_err().to_string();
    for rank in on_ranks(3, &[damaged]).rows {
        assert_eq!(rank.unwrap_err().to_string(), error);
    }
}
