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
    assert!(
        !init(path, &["few.csv", "--target", "price"])["model"].as_table().unwrap().contains_key("numerical")
    );
    let names = lines("a,b,y", 2000, |i| format!("a{},b{},{}", i % 5, i * i % 7, ["no", "yes"][i % 3 % 2]));
    write(path, "names.csv", names);
    assert!(
        !init(path, &["names.csv", "--target", "y"])["model"].as_table().unwrap().contains_key("numerical")
    );
}
