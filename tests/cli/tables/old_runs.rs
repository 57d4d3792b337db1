//! Runs that an earlier version made.

use std::fs;

use super::{cells, metric, table};
use crate::common::{descent, succeed};

/// tests/tables/run-0.1.0 is a run of version 0.1.0 on `trees.csv`, with what it evaluated and predicted then.
#[test]
fn a_run_of_version_0_1_0_evaluates_and_predicts_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let old = table("run-0.1.0");
    fs::create_dir(folder.path().join("run")).unwrap();
    for name in ["config.toml", "data.toml", "model.safetensors"] {
        fs::copy(old.join(name), folder.path().join("run").join(name)).unwrap();
    }
    fs::copy(old.join("trees.csv"), folder.path().join("trees.csv")).unwrap();
    let messages = succeed(folder.path(), &["predict", "run", "--input", "trees.csv"]);
    let expected = fs::read_to_string(old.join("predictions.csv")).unwrap();
    let (messages, expected) = (cells(&messages), cells(&expected));
    assert_eq!((messages.len(), &messages[0]), (61, &expected[0]));
    for (messages, expected) in messages.iter().zip(&expected).skip(1) {
        assert_eq!(messages[0], expected[0]);
        for (messages, expected) in messages[1..].iter().zip(&expected[1..]) {
            let (messages, expected): (f64, f64) = (messages.parse().unwrap(), expected.parse().unwrap());
            assert!((messages - expected).abs() < 1e-6, "{messages} {expected}");
        }
    }
    // The same twelve rows are tested on, as a fifth of 60 rows is the same by the rules of then and now; others need not be.
    let messages = String::from_utf8(descent(folder.path(), &["eval", "run"]).stderr).unwrap();
    assert!(messages.contains("assigned rows to splits by other rules"), "{messages}");
    let (messages, expected) =
        (succeed(folder.path(), &["eval", "run"]), fs::read_to_string(old.join("eval.txt")).unwrap());
    for name in ["test_loss", "test_accuracy"] {
        assert!((metric(&messages, name) - metric(&expected, name)).abs() < 1e-6, "{messages}");
    }
}
