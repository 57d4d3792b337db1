//! The network that `descent init` chooses for a table.

use super::init::init;
use super::tables::{lines, write};
use crate::common::succeed;

/// A table with a far-off number, a constant, missing cells, dates and names.
fn prices(rows: usize) -> String {
    lines("size,same,rare,since,colour,price", rows, |i| {
        let rare = if i % 50 == 0 { (i % 7).to_string() } else { String::new() };
        let size = if i % 400 == 0 { "1e12".to_owned() } else { format!("{}.5", (i * 37) % 113) };
        let colour = ["red", "blue", "green"][i * i % 3];
        let price = (i * 37) % 113 + i % 3;
        format!("{size},1,{rare},2021-{:02}-{:02},{colour},{price}", 1 + i % 12, 1 + i % 28)
    })
}

#[test]
fn numbers_get_embeddings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "many.csv", prices(2000));
    let config = init(path, &["many.csv", "--target", "price"]);
    assert_eq!(config["model"]["numerical"]["name"].as_str(), Some("piecewise_linear"));
    assert_eq!(config["model"]["numerical"]["n_bins"].as_integer(), Some(128));
    // One row far outside must not have an answer far outside, as exp of the loss for counts would make of it.
    assert_eq!(config["data"]["clamp_output"].as_bool(), Some(true));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=2", "--out", "run"]);
    succeed(path, &["predict", "run", "--input", "many.csv", "--output", "p.csv"]);
    succeed(path, &["export", "run", "--to", "onnx", "--output", "model.onnx"]);
    succeed(path, &["export", "run", "--to", "c", "--output", "model.c"]);
}

#[test]
fn few_rows_have_fewer_bins_and_few_rows_of_classes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let has = |config: &toml::Table, section: &str, key: &str| {
        config[section].as_table().unwrap().contains_key(key)
    };
    write(path, "few.csv", prices(300));
    let values = init(path, &["few.csv", "--target", "price"]);
    assert!(has(&values, "model", "numerical") && has(&values, "train", "average"));
    assert!(values["model"]["numerical"].get("n_bins").is_none());
    write(path, "many.csv", prices(2000));
    let many = init(path, &["many.csv", "--target", "colour"]);
    assert!(many["model"]["numerical"].get("n_bins").is_none());
    let classes = init(path, &["few.csv", "--target", "colour"]);
    assert!(!has(&classes, "model", "numerical") && !has(&classes, "train", "average"));
    // The column of the split says how many are trained on.
    let marked = |train: usize| {
        lines("x,split,y", 1200, |i| {
            format!(
                "{}.5,{},{}",
                i * 37 % 113,
                if i < train { "train" } else { "test" },
                ["no", "yes"][i % 3 % 2]
            )
        })
    };
    // Of them 0.15 are held out to validate.
    for (train, has_bins) in [(580, false), (600, true)] {
        write(path, "marked.csv", marked(train));
        let config = init(path, &["marked.csv", "--target", "y"]);
        assert_eq!(has(&config, "model", "numerical"), has_bins, "{train}");
    }
    // Names alone.
    let names = lines("a,b,y", 2000, |i| format!("a{},b{},{}", i % 5, i * i % 7, ["no", "yes"][i % 3 % 2]));
    write(path, "names.csv", names);
    assert!(!has(&init(path, &["names.csv", "--target", "y"]), "model", "numerical"));
}

#[test]
fn a_table_trains_in_one_step_as_by_its_config_with_threads_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(
        path,
        "t.csv",
        lines("a,b,y", 1600, |i| format!("{},{},{}", i * 7 % 31, i % 5, i * 7 % 31 + i % 5)),
    );
    let config = init(path, &["t.csv", "--target", "y"]);
    // Without a warm-up the average of a short run keeps its first weights.
    assert_eq!(config["train"]["average"]["name"].as_str(), Some("ema"));
    assert_eq!(config["train"]["average"]["warmup"].as_bool(), Some(true));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=2", "--out", "run"]);
    // The threads are set before the table is looked at.
    for (more, out) in [(&["--threads", "1"][..], "one"), (&["--threads", "3"], "three")] {
        let train = ["train", "t.csv", "--target", "y", "--set", "train.epochs=2", "--out", out];
        succeed(path, &[&train[..], more].concat());
        let weights = |run: &str| std::fs::read(path.join(run).join("model.safetensors")).unwrap();
        assert_eq!(weights("run"), weights(out));
    }
    let bag = ["train", "t.csv", "--target", "y", "--set", "train.epochs=1", "--bag", "2", "--threads", "1"];
    succeed(path, &[&bag[..], &["--out", "bag"]].concat());
}

#[test]
fn a_target_with_a_long_tail_is_said_to_have_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // eˣ for x from -4 to 4 has a mean of 6.8 and a largest value of 55; for x from -16 to 16 of 2.8e5 and 8.9e6.
    for (width, is_long) in [(8.0, false), (32.0, true)] {
        let table = lines("x,y", 400, |i| {
            let x = width * (f64::from(u32::try_from(i * 37 % 400).unwrap()) / 400.0 - 0.5);
            format!("{x},{}", x.exp())
        });
        write(path, "t.csv", table);
        init(path, &["t.csv", "--target", "y"]);
        let text = std::fs::read_to_string(path.join("made.toml")).unwrap();
        assert_eq!(text.contains("target_transform = \"log1p\""), is_long, "{text}");
    }
}

#[test]
fn ratings_and_weights_may_be_meant_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = |header: &str, target: &str| {
        let row = |i: usize| format!("{},{},{}", i * 37 % 101, i * 7 % 11, 1 + i * 13 % 5);
        write(path, "t.csv", lines(header, 400, row));
        init(path, &["t.csv", "--target", target]);
        std::fs::read_to_string(path.join("made.toml")).unwrap().replace("\n#", "")
    };
    let says =
        |text: &str| [text.contains("without an order"), text.contains("set   weight = \"Sample weight\"")];
    assert_eq!(says(&text("x,Sample weight,stars", "stars")), [true, true]);
    assert_eq!(says(&text("x,height,stars", "stars")), [true, false]);
    assert_eq!(says(&text("x,Sample weight,stars", "Sample weight")), [true, false]);
}
