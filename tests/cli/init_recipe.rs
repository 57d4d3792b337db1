//! The network that `descent init` chooses for a table.

use super::init::init;
use super::tables::{lines, write};
use crate::common::{fail, succeed};

#[test]
fn numbers_get_embeddings_where_there_are_rows_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = |rows: usize| {
        lines("size,same,rare,since,colour,price", rows, |i| {
            let rare = if i % 50 == 0 { (i % 7).to_string() } else { String::new() };
            let size = if i % 400 == 0 { "1e12".to_owned() } else { format!("{}.5", (i * 37) % 113) };
            let colour = ["red", "blue", "green"][i * i % 3];
            format!(
                "{size},1,{rare},2021-{:02}-{:02},{colour},{}",
                1 + i % 12,
                1 + i % 28,
                (i * 37) % 113 + i % 3
            )
        })
    };
    write(path, "many.csv", table(2000));
    let config = init(path, &["many.csv", "--target", "price"]);
    assert_eq!(config["model"]["numerical"]["name"].as_str(), Some("piecewise_linear"));
    // One row far outside must not have an answer far outside, as exp of the loss for counts would make of it.
    assert_eq!(config["data"]["clamp_output"].as_bool(), Some(true));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=2", "--out", "run"]);
    succeed(path, &["predict", "run", "--input", "many.csv", "--output", "p.csv"]);
    succeed(path, &["export", "run", "--to", "onnx", "--output", "model.onnx"]);
    // The way out that the comment names.
    assert!(fail(path, &["export", "run", "--to", "c", "--output", "c"], 2).contains("model.numerical"));
    let without = ["train", "made.toml", "--set", "model.numerical=null", "--set", "train.epochs=1"];
    succeed(path, &[&without[..], &["--out", "plain"]].concat());
    succeed(path, &["export", "plain", "--to", "c", "--output", "c"]);
    // Few rows, or names alone.
    write(path, "few.csv", table(300));
    let few = init(path, &["few.csv", "--target", "price"]);
    let has = |section: &str, key: &str| few[section].as_table().unwrap().contains_key(key);
    assert!(!has("model", "numerical") && !has("train", "average"));
    let names = lines("a,b,y", 2000, |i| format!("a{},b{},{}", i % 5, i * i % 7, ["no", "yes"][i % 3 % 2]));
    write(path, "names.csv", names);
    assert!(
        !init(path, &["names.csv", "--target", "y"])["model"].as_table().unwrap().contains_key("numerical")
    );
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
