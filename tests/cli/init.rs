//! `descent init DATA` and `descent train DATA`: a config for data that nobody has described.

use std::fs;
use std::path::Path;

use super::npz;
use super::tables::{images, lines, metric, table, write};
use crate::common::{descent, fail, succeed};

/// The config that `init` prints, which the program itself accepts.
pub(super) fn init(folder: &Path, arguments: &[&str]) -> toml::Table {
    let text = succeed(folder, &[&["init"], arguments].concat());
    write(folder, "made.toml", &text);
    assert!(succeed(folder, &["config", "check", "made.toml"]).contains("can be trained"), "{text}");
    assert!(text.starts_with("# "), "{text}");
    text.parse().unwrap()
}

/// Of a customer: a number, a name, a date, a truth value, an amount that may be missing, and two classes.
fn customers(rows: usize) -> String {
    lines("customerId,age,plan,since,active,amount,left", rows, |i| {
        let amount = if i % 9 == 0 { String::new() } else { format!("{}.5", i * 7 % 100) };
        let left = if i * 31 % 10 < 3 { "yes" } else { "no" };
        format!(
            "{},{},{},2021-{:02}-{:02},{},{amount},{left}",
            1000 + i,
            18 + i % 50,
            ["a", "b", "c"][i % 3],
            1 + i % 12,
            1 + i % 28,
            ["true", "false"][i % 2]
        )
    })
}

#[test]
fn a_table_becomes_a_config_that_trains_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "customers.csv", customers(120));
    let config = init(path, &["customers.csv", "--target", "left"]);
    let data = config["data"].as_table().unwrap();
    assert_eq!((data["name"].as_str(), data["path"].as_str()), (Some("csv"), Some("customers.csv")));
    assert_eq!((data["target"].as_str(), data["missing"].as_str()), (Some("left"), Some("category")));
    assert_eq!(data["columns"]["customerId"].as_str(), Some("ignore"));
    assert_eq!(config["loss"]["name"].as_str(), Some("cross_entropy"));
    let out = succeed(path, &["train", "made.toml", "--set", "train.epochs=2", "--out", "run"]);
    assert!(metric(&out, "test_accuracy") >= 0.0);
    // Nothing is held out of a file that is scored, whatever the run watched.
    assert!(succeed(path, &["eval", "run", "--input", "customers.csv"]).contains("rows 120"));
    // The comments say what was seen.
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    for words in
        ["two classes: no 84, yes 36", "14 missing cells", "plan        category", "since       date"]
    {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    // What was written is what was printed, and is not written over.
    fs::create_dir(path.join("configs")).unwrap();
    succeed(path, &["init", "customers.csv", "--target", "left", "-o", "configs/c.toml"]);
    let written = fs::read_to_string(path.join("configs/c.toml")).unwrap();
    assert_eq!(written.parse::<toml::Table>().unwrap()["data"]["path"].as_str(), Some("../customers.csv"));
    succeed(path, &["train", "configs/c.toml", "--set", "train.epochs=1", "--out", "run2"]);
    let error = fail(path, &["init", "customers.csv", "--target", "left", "-o", "configs/c.toml"], 2);
    assert!(error.contains("it is there already"), "{error}");
    assert_eq!(fs::read_to_string(path.join("configs/c.toml")).unwrap(), written);
}

#[test]
fn train_with_a_table_is_init_and_train_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "customers.csv", customers(120));
    let set = ["--set", "train.epochs=2", "--set", "seed=7"];
    let train = ["train", "customers.csv", "--target", "left", "--out", "run"];
    let out = succeed(path, &[&train[..], &set].concat());
    let own: toml::Table = fs::read_to_string(path.join("run/config.toml")).unwrap().parse().unwrap();
    assert_eq!((own["seed"].as_integer(), own["data"]["target"].as_str()), (Some(7), Some("left")));
    // The same as with the config.
    init(path, &["customers.csv", "--target", "left"]);
    let two = succeed(path, &[&["train", "made.toml", "--out", "two"], &set[..]].concat());
    assert_eq!(metric(&out, "test_loss").to_bits(), metric(&two, "test_loss").to_bits());
    assert_eq!(
        fs::read(path.join("run/model.safetensors")).unwrap(),
        fs::read(path.join("two/model.safetensors")).unwrap()
    );
}

#[test]
fn a_table_in_place_of_a_config_goes_with_the_other_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "customers.csv", customers(120));
    let train = ["train", "customers.csv", "--target", "left", "--set", "train.epochs=1", "--out"];
    succeed(path, &[&train[..], &["run"]].concat());
    succeed(path, &["train", "--resume", "run", "--set", "train.epochs=3"]);
    let folds = succeed(
        path,
        &[
            "train",
            "customers.csv",
            "--target",
            "left",
            "--folds",
            "2",
            "--out",
            "cv",
            "--set",
            "train.epochs=1",
        ],
    );
    assert!(folds.contains("test_accuracy"), "{folds}");
    // Without --out the folder has the name of the table.
    succeed(path, &["train", "customers.csv", "--target", "left", "--set", "train.epochs=1"]);
    assert!(
        fs::read_dir(path.join("runs"))
            .unwrap()
            .all(|run| { run.unwrap().file_name().to_string_lossy().starts_with("customers-") })
    );
    init(path, &["customers.csv", "--target", "left"]);
    let error = fail(path, &["train", "made.toml", "--target", "left"], 2);
    assert!(error.contains("--set data.target"), "{error}");
}

#[test]
fn the_target_decides_the_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let loss = |name: &str, target: &dyn Fn(usize) -> String| {
        write(path, "t.csv", lines("x,y", 200, |i| format!("{}.5,{}", i * 37 % 101, target(i))));
        init(path, &["t.csv", "--target", "y"])["loss"]["name"].as_str() == Some(name)
    };
    assert!(loss("cross_entropy", &|i| (i % 2).to_string()));
    assert!(loss("cross_entropy", &|i| (i % 10).to_string()));
    assert!(loss("cross_entropy", &|i| ["red", "green", "blue"][i % 3].to_owned()));
    assert!(loss("mse", &|i| format!("{}.25", i * 3)));
    assert!(loss("mse", &|i| (i * 17 % 180).to_string()));
    // Visits: most have none, few have many.
    assert!(loss("poisson_nll", &|i| [0, 0, 0, 1, 1, 2, 0, 3, 8, 0][i % 10].to_string()));
    // Marks from 3 to 8 are numbers, not counts and not classes from 0 on.
    assert!(loss("mse", &|i| [3, 4, 5, 6, 7, 8][i % 6].to_string()));
}

#[test]
fn cells_are_read_as_the_file_means_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("zip;price;size;weight;y", 60, |i| {
        let size = if i % 20 == 3 { "unknown".to_owned() } else { (i % 13).to_string() };
        format!("0{};{},5;{size};{} kg;{}", 1000 + i % 7, i * 3, i % 5, ["a", "b"][i % 2])
    });
    write(path, "t.csv", rows);
    let config = init(path, &["t.csv", "--target", "y"]);
    let data = config["data"].as_table().unwrap();
    assert_eq!(data["decimal"].as_str(), Some(","));
    assert_eq!(data["na_values"].as_array().unwrap()[0].as_str(), Some("unknown"));
    assert_eq!(data["columns"]["zip"].as_str(), Some("category"));
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    assert!(text.contains("it has values such as `0 kg`, which are read as text"), "{text}");
    // What was seen is said, by `train` too.
    for command in [&["init"][..], &["train", "--dry-run"]] {
        let output = descent(path, &[command, &["t.csv", "--target", "y"]].concat());
        let messages = String::from_utf8(output.stderr).unwrap();
        for words in
            ["`unknown` among numbers is taken for a missing cell: `data.na_values` is set", "`data.decimal`"]
        {
            assert!(messages.contains(words), "{messages}");
        }
    }
    succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run"]);
    // The same rows in other formats, one of them packed.
    let row = |i: usize| format!("{{\"a\": {}, \"y\": \"{}\"}}", i % 7, ["u", "v"][i % 2]);
    let rows = (0..60).map(row).collect::<Vec<_>>().join("\n");
    write(path, "t.jsonl", &rows);
    assert_eq!(init(path, &["t.jsonl", "--target", "y"])["data"]["name"].as_str(), Some("jsonl"));
    let tsv = lines("a\ty", 40, |i| format!("{i}\t{}", i % 2));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, tsv.as_bytes()).unwrap();
    write(path, "t.tsv.gz", packed.finish().unwrap());
    init(path, &["t.tsv.gz", "--target", "y"]);
    succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run2"]);
}

#[test]
fn a_split_column_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let iris = table("iris.csv");
    let config = init(folder.path(), &[iris.to_str().unwrap(), "--target", "species"]);
    assert_eq!(config["data"]["split_column"].as_str(), Some("split"));
    assert!(config["data"].get("test").is_none());
    let out = succeed(folder.path(), &["train", "made.toml", "--out", "run"]);
    assert!(metric(&out, "test_accuracy") > 0.85, "{out}");
}

#[test]
fn a_series_is_told_from_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let weather = table("seattle-weather.csv");
    let config = init(path, &[weather.to_str().unwrap(), "--target", "temp_max"]);
    let data = config["data"].as_table().unwrap();
    assert_eq!((data["name"].as_str(), data["time"].as_str()), (Some("timeseries"), Some("date")));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run"]);
    // A class is no series of numbers.
    let rows = lines("day,sky,wind", 100, |i| {
        format!(
            "2022-{:02}-{:02},{},{}",
            1 + i / 28,
            1 + i % 28,
            ["sun", "rain", "fog"][i * i % 7 % 3],
            i % 9
        )
    });
    write(path, "sky.csv", rows);
    assert_eq!(init(path, &["sky.csv", "--target", "sky"])["data"]["name"].as_str(), Some("csv"));
    // Two series in one file, not in the order of time.
    let rows = lines("store,day,sales", 400, |i| {
        let day = i / 2;
        format!(
            "{},2022-{:02}-{:02},{}",
            ["north", "south"][i % 2],
            1 + day / 28 % 12,
            1 + day % 28,
            (i * 7) % 23
        )
    });
    write(path, "sales.csv", rows);
    let config = init(path, &["sales.csv", "--target", "sales"]);
    let data = config["data"].as_table().unwrap();
    assert_eq!((data["name"].as_str(), data["group"].as_str()), (Some("timeseries"), Some("store")));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run2"]);
}

#[test]
fn pictures_and_arrays_have_configs_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    images::paint(&path.join("pets"), 12);
    let config = init(path, &["pets"]);
    assert_eq!(config["data"]["name"].as_str(), Some("images"));
    succeed(path, &["train", "pets", "--set", "train.epochs=1", "--out", "run"]);
    let error = fail(path, &["init", "pets", "--target", "cat"], 2);
    assert!(error.contains("--target"), "{error}");
    let xs = npz::Array::f32("x_train", &[60, 2], (0..120u8).map(f32::from));
    let ys = npz::Array::i64("y_train", &[60], (0..60).map(|i| i % 3));
    npz::write(&path.join("a.npz"), true, &[xs, ys]);
    let config = init(path, &["a.npz"]);
    assert_eq!(config["data"]["name"].as_str(), Some("npz"));
    succeed(path, &["train", "a.npz", "--set", "train.epochs=1", "--out", "run2"]);
}

#[test]
fn the_recipe_for_pictures_in_mnists_format_is_that_of_their_number() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("idx")).unwrap();
    for (rows, batch_size, epochs, words) in
        [(3_000u32, 32, 60, "3000 pictures"), (20_000, 128, 20, "20000 pictures")]
    {
        for split in ["train", "t10k"] {
            // Pictures of a pixel.
            let count = rows.to_be_bytes();
            let labels: Vec<u8> = (0..rows).map(|row| u8::try_from(row % 10).unwrap()).collect();
            let images = [&[0, 0, 8, 3][..], &count, &[0, 0, 0, 1, 0, 0, 0, 1], &labels].concat();
            write(folder.path(), &format!("idx/{split}-images-idx3-ubyte"), images);
            write(
                folder.path(),
                &format!("idx/{split}-labels-idx1-ubyte"),
                [&[0, 0, 8, 1][..], &count, &labels].concat(),
            );
        }
        let text = succeed(folder.path(), &["init", "idx"]);
        assert!(text.contains(words), "{text}");
        let train = text.parse::<toml::Table>().unwrap()["train"].clone();
        let number = |key: &str| train[key].as_integer().unwrap();
        assert_eq!((number("batch_size"), number("epochs")), (batch_size, epochs));
    }
}

#[test]
fn a_column_that_tells_the_target_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("a,cents,copy,price", 100, |i| {
        let price = i * 37 % 101;
        format!("{},{},{price}.5,{price}.5", i * 13 % 29, 100 * price + 50)
    });
    write(path, "t.csv", rows);
    let output = descent(path, &["init", "t.csv", "--target", "price"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    for words in ["`copy` has the values of the target", "`cents` alone predicts the target"] {
        assert!(messages.contains(words), "{messages}");
    }
    assert!(!messages.contains("`a`"), "{messages}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("# A leak?"));
}
