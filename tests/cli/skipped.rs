//! Batches in which nothing counts.

use std::fs;
use std::path::Path;

use super::tables::{config, lines, write};
use crate::common::{descent, fail, succeed};
use crate::durability::result;

/// 48 rows of two classes, behind 16 whose target is ignored or of the class `c`.
fn write_rows(folder: &Path) {
    let class = |i: usize| if i.is_multiple_of(3) { "a" } else { "b" };
    let rows = |first: usize, target: &str| {
        lines("x,z,class", 64 - first, |i| {
            let i = i + first;
            format!("{},{},{}", i % 7, i % 5, if i < 16 { target } else { class(i) })
        })
    };
    write(folder, "ignored.csv", rows(0, "-100"));
    write(folder, "counted.csv", rows(16, ""));
    write(folder, "weightless.csv", rows(0, "c"));
}

/// Trains a file in the order of its rows, 16 at a time.
fn train(folder: &Path, name: &str, loss: &str, more: &[&str]) -> String {
    let data = "normalize = 'none'";
    let text = config("csv", Path::new(&format!("{name}.csv")), "class", data, "cross_entropy");
    let text = text.replace("name = \"cross_entropy\"\n", &format!("name = \"cross_entropy\"\n{loss}\n"));
    write(folder, &format!("{name}.toml"), text + "shuffle = false\n");
    let output = descent(folder, &[&["train", &format!("{name}.toml"), "--out", name], more].concat());
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages
}

fn log(folder: &Path, run: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join(run).join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_batch_of_ignored_rows_is_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    write_rows(folder.path());
    let messages = train(folder.path(), "ignored", "", &[]);
    assert!(messages.contains("3 batches were skipped"), "{messages}");
    train(folder.path(), "counted", "", &[]);
    // It is the run on the rows that count: the same updates, epochs and weights.
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("ignored") == weights("counted"));
    let (skipped, whole) = (log(folder.path(), "ignored"), log(folder.path(), "counted"));
    for (skipped, whole) in skipped.iter().zip(&whole).take(3) {
        assert_eq!((&skipped["skipped_batches"], whole.get("skipped_batches")), (&1.into(), None));
        for key in ["step", "train_loss", "samples"] {
            assert_eq!(skipped[key], whole[key], "{key}");
        }
    }
    assert_eq!(skipped[3]["skipped_batches"], 3);
    // Stopped within an epoch, before or behind the batch, it is the same run.
    for step in ["1", "3", "4"] {
        let out = format!("part-{step}");
        let limit = format!("train.max_steps={step}");
        succeed(folder.path(), &["train", "ignored.toml", "-q", "--out", &out, "--set", &limit]);
        succeed(folder.path(), &["train", "-q", "--resume", &out, "--set", "train.max_steps=0"]);
        assert!(result(&folder.path().join(&out)) == result(&folder.path().join("ignored")), "{step}");
    }
}

#[test]
fn a_batch_of_weight_zero_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    write_rows(folder.path());
    let messages = train(folder.path(), "weightless", "weight = [1.0, 1.0, 0.0]", &[]);
    assert!(messages.contains("3 batches were skipped"), "{messages}");
    // The mean of the focal loss is over the rows, but none of these counts either.
    fs::remove_dir_all(folder.path().join("weightless")).unwrap();
    let focal = ["--set", "loss.name=focal"];
    let messages = train(folder.path(), "weightless", "weight = [1.0, 1.0, 0.0]", &focal);
    assert!(messages.contains("3 batches were skipped"), "{messages}");
    // Rows that are accumulated with others that count are no batch by themselves.
    let more = ["--set", "train.accumulate=2"];
    fs::remove_dir_all(folder.path().join("weightless")).unwrap();
    let messages = train(folder.path(), "weightless", "weight = [1.0, 1.0, 0.0]", &more);
    assert!(!messages.contains("skipped"), "{messages}");
    // Where nothing counts at all there is nothing to learn.
    let none = ["train", "weightless.toml", "--out", "none", "--set", "loss.weight=[0.0, 0.0, 0.0]"];
    let output = descent(folder.path(), &none);
    assert!(!output.status.success());
    let only = lines("x,class", 40, |i| format!("{i},{}", if i < 38 { "-100" } else { ["a", "b"][i % 2] }));
    write(folder.path(), "few.csv", only);
    let text = config("csv", Path::new("few.csv"), "class", "", "cross_entropy");
    write(folder.path(), "few.toml", text + "shuffle = false\ndrop_last = true\n");
    let error = fail(folder.path(), &["train", "few.toml", "--out", "few"], 1);
    assert!(error.contains("no row of the batch counts"), "{error}");
}
