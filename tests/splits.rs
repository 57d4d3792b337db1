//! Which rows are held out: the same ones from every source, and as many of each class as scikit-learn holds out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device};
use descent::config::Config;
use descent::data::{Dataset, Request};
use serde_json::Value;

use crate::cli::npz::{self, Array};
use crate::common::repository;
use crate::parquet_files::{self, Values};

const SOURCES: [&str; 4] = ["csv", "parquet", "npz", "images"];

/// A row: what it holds, and its class.
type Row = (usize, i64);

/// The rows of each part, in order.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    train: Vec<Row>,
    validation: Vec<Row>,
    test: Vec<Row>,
}

/// Writes rows of these classes, numbered from 0; gives the lines of `[data]` that name them.
fn write(folder: &Path, source: &str, classes: &[usize]) -> String {
    let named = |class: &usize| format!("c{class:03}");
    let (file, target) = match source {
        "csv" => {
            let mut text = "x,y\n".to_owned();
            for (row, class) in classes.iter().enumerate() {
                writeln!(text, "{row},{}", named(class)).unwrap();
            }
            fs::write(folder.join("t.csv"), text).unwrap();
            ("t.csv", "target = 'y'")
        }
        "parquet" => {
            let names: Vec<String> = classes.iter().map(named).collect();
            write_parquet(&folder.join("t.parquet"), &names);
            ("t.parquet", "target = 'y'")
        }
        "npz" => {
            let count = classes.len();
            let xs = (0..count).map(|row| f32::from(u16::try_from(row).unwrap()));
            let ys = classes.iter().map(|class| i64::try_from(*class).unwrap());
            let arrays = [Array::f32("x_train", &[count, 1], xs), Array::i64("y_train", &[count], ys)];
            npz::write(&folder.join("t.npz"), false, &arrays);
            ("t.npz", "")
        }
        _ => {
            // Pictures come folder by folder, so their classes must be sorted.
            assert!(classes.is_sorted());
            for (row, class) in classes.iter().enumerate() {
                let of_class = folder.join("t").join(named(class));
                fs::create_dir_all(&of_class).unwrap();
                let pixel = image::Luma([u8::try_from(row).unwrap()]);
                image::GrayImage::from_pixel(1, 1, pixel)
                    .save(of_class.join(format!("{row:03}.png")))
                    .unwrap();
            }
            ("t", "")
        }
    };
    format!("name = '{source}'\npath = '{}'\n{target}\n", folder.join(file).display())
}

fn write_parquet(path: &Path, names: &[String]) {
    let xs = (0..names.len()).map(|row| f64::from(u16::try_from(row).unwrap())).collect();
    let columns = [Values::Double(xs), Values::text(names)];
    parquet_files::write(path, "double x; binary y (UTF8)", &columns);
}

/// Splits the rows of classes that `data` names.
fn split(data: &str, seed: u64) -> Result<Parts, String> {
    split_by("cross_entropy", data, seed)
}

/// Splits the rows that `data` names for a loss.
fn split_by(loss: &str, data: &str, seed: u64) -> Result<Parts, String> {
    let text = format!(
        "seed = {seed}\n[data]\n{data}\n[model]\nname = 'mlp'\nhidden = [2]\n[loss]\nname = '{loss}'\n\
         [optimizer]\nname = 'sgd'\nlr = 0.1\n"
    );
    let config = Config::parse(&text, "test", &[]).unwrap();
    let request = Request {
        seed,
        dtype: DType::F64,
        input: config.model.input(),
        ..Request::new(config.loss.task(), &config.preparation)
    };
    let loaded = config.source.read(&request).map_err(|e| e.to_string())?;
    let splits = config.preparation.prepare(loaded, &request, &Device::Cpu).map_err(|e| e.to_string())?;
    let scale = if data.contains("images") { 255.0 } else { 1.0 };
    let rows = |data: &Dataset| {
        let order: Vec<u32> = (0..u32::try_from(data.len()).unwrap()).collect();
        let xs = data.inputs(&order).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let ys = data.targets(&order).unwrap().to_dtype(DType::I64).unwrap().flatten_all().unwrap();
        let ys = ys.to_vec1::<i64>().unwrap();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a row")]
        let held = |x: f64| (x * scale).round() as usize;
        xs.into_iter().map(held).zip(ys).collect::<Vec<Row>>()
    };
    let held = |data: &Option<Dataset>| data.as_ref().map(rows).unwrap_or_default();
    Ok(Parts { train: rows(&splits.train), validation: held(&splits.validation), test: held(&splits.test) })
}

/// The rows of each of `count` classes.
fn of_classes(rows: &[Row], count: usize) -> Vec<u64> {
    let mut counts = vec![0; count];
    for (_, class) in rows {
        counts[usize::try_from(*class).unwrap()] += 1;
    }
    counts
}

fn golden() -> Value {
    serde_json::from_str(&fs::read_to_string(repository("tests/golden/splits.json")).unwrap()).unwrap()
}

fn integers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// Rows of classes of which there are so many each, class by class.
fn rows_of(counts: &[u64]) -> Vec<usize> {
    let of = |(class, count): (usize, &u64)| vec![class; usize::try_from(*count).unwrap()];
    counts.iter().enumerate().flat_map(of).collect()
}

#[test]
fn the_same_rows_are_held_out_whatever_file_they_are_in() {
    let mut counts = vec![4; 30];
    counts.extend([1, 2, 9]);
    let classes = rows_of(&counts);
    let folder = tempfile::tempdir().unwrap();
    let data: Vec<String> = SOURCES.iter().map(|source| write(folder.path(), source, &classes)).collect();
    let more = ["validation = 0.1", "fold = { index = 2, of = 3 }", "validation = 0.3\nlimit = 90"];
    for more in more.into_iter().chain(["fold = { index = 3, of = 4 }\nvalidation = 0.2\nlimit = 70"]) {
        let parts: Vec<Parts> = data.iter().map(|data| split(&format!("{data}{more}"), 3).unwrap()).collect();
        assert!(!parts[0].validation.is_empty() || !parts[0].test.is_empty());
        for (source, own) in SOURCES.iter().zip(&parts) {
            assert_eq!(*own, parts[0], "{source}: {more}");
        }
        assert_ne!(split(&format!("{}{more}", data[0]), 4).unwrap(), parts[0], "the seed decides");
    }
    // An .npz file brings its test rows along.
    for more in ["test = 0.2", "test = 0.15\nvalidation = 0.25"] {
        let parts = [0, 1, 3].map(|source| split(&format!("{}{more}", data[source]), 3).unwrap());
        assert!(parts[0] == parts[1] && parts[0] == parts[2], "{more}");
        assert!(!parts[0].test.is_empty());
    }
}

#[test]
fn as_many_rows_of_each_class_are_held_out_as_scikit_learn_does() {
    let folder = tempfile::tempdir().unwrap();
    for case in golden()["shares"].as_array().unwrap() {
        let (counts, share) = (integers(&case["counts"]), &case["share"]);
        let classes = rows_of(&counts);
        for source in ["csv", "npz"] {
            if counts.len() == 1 && source == "csv" {
                // One class is an error of a table.
                continue;
            }
            let data = write(folder.path(), source, &classes);
            let parts = split(&format!("{data}validation = {share}"), 1)
                .unwrap_or_else(|error| panic!("{source}: {share} of {counts:?}: {error}"));
            let mut by_size: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for (count, held) in counts.iter().zip(of_classes(&parts.validation, counts.len())) {
                by_size.entry(count.to_string()).or_default().push(held);
            }
            for (size, mut held) in by_size {
                held.sort_unstable();
                assert_eq!(
                    held,
                    integers(&case["held"][&size]),
                    "{source}: {share} of {counts:?}, size {size}"
                );
            }
        }
    }
}

#[test]
fn folds_have_as_many_rows_of_each_class_as_scikit_learns() {
    let folder = tempfile::tempdir().unwrap();
    for case in golden()["folds"].as_array().unwrap() {
        let classes: Vec<usize> =
            integers(&case["classes"]).into_iter().map(|class| usize::try_from(class).unwrap()).collect();
        let held = case["held"].as_array().unwrap();
        for source in ["csv", "npz"] {
            let data = write(folder.path(), source, &classes);
            let count = classes.iter().max().unwrap() + 1;
            if count == 1 {
                continue;
            }
            for (index, held) in (1..).zip(held) {
                let fold = format!(
                    "{data}fold = {{ index = {index}, of = {} }}",
                    case["held"].as_array().unwrap().len()
                );
                let parts = split(&fold, 1).unwrap();
                assert_eq!(of_classes(&parts.test, count), integers(held), "{source}: {fold} of {classes:?}");
            }
        }
    }
}

#[test]
fn the_only_row_of_a_class_is_trained_on() {
    let classes = rows_of(&[6, 1, 5, 1, 1]);
    let folder = tempfile::tempdir().unwrap();
    for source in SOURCES {
        let data = write(folder.path(), source, &classes);
        for share in [0.1, 0.5, 0.9] {
            let parts = split(&format!("{data}validation = {share}"), 2).unwrap();
            assert!(
                of_classes(&parts.train, 5).iter().all(|count| *count > 0),
                "{source} {share}: {parts:?}"
            );
        }
    }
}

#[test]
fn two_classes_are_stratified_alike_under_both_of_their_losses() {
    let classes: Vec<usize> = (0..200).map(|row| usize::from(row % 10 == 0)).collect();
    let folder = tempfile::tempdir().unwrap();
    for source in ["csv", "parquet", "npz"] {
        let data = write(folder.path(), source, &classes);
        for more in ["validation = 0.2", "fold = { index = 2, of = 5 }", "validation = 0.2\nlimit = 100"] {
            let data = format!("{data}{more}");
            let parts = split_by("bce_with_logits", &data, 3).unwrap();
            assert_eq!(parts, split(&data, 3).unwrap(), "{source}: {more}");
            assert_eq!(of_classes(&parts.train, 2)[1] * 10, parts.train.len() as u64, "{source}: {more}");
        }
    }
}

#[test]
fn a_limit_draws_as_many_rows_of_each_class_as_scikit_learn_does() {
    let classes = rows_of(&[900, 90, 10]);
    let folder = tempfile::tempdir().unwrap();
    let sources = &SOURCES[..3];
    let data: Vec<String> = sources.iter().map(|source| write(folder.path(), source, &classes)).collect();
    for (limit, expected) in [(100, [90, 9, 1]), (250, [225, 23, 2])] {
        let parts: Vec<Parts> =
            data.iter().map(|data| split(&format!("{data}limit = {limit}"), 3).unwrap()).collect();
        // numpy.bincount(train_test_split(y, train_size=limit, stratify=y)[0]); of 250 the last two are 22 or 23 and 3 or 2.
        let counts = of_classes(&parts[0].train, 3);
        assert_eq!(counts[0], expected[0]);
        assert!(counts[1].abs_diff(expected[1]) <= 1 && counts.iter().sum::<u64>() == limit, "{counts:?}");
        // In the order of the file, and not the first ones.
        let rows: Vec<usize> = parts[0].train.iter().map(|(row, _)| *row).collect();
        assert!(rows.is_sorted() && rows[usize::try_from(expected[0]).unwrap() - 1] > 800);
        for (source, own) in sources.iter().zip(&parts) {
            assert_eq!(*own, parts[0], "{source}");
        }
    }
}
