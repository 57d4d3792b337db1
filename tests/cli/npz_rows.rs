//! The rows of NumPy's files: validation rows of their own, rows that do not count, large numbers, memory.

use super::npz::{Array, CONFIG, write};
use crate::common::{descent, fail, succeed};

/// Rows of one number and a class by its sign.
fn signs(split: &'static str, rows: usize) -> [Array; 2] {
    let (x, y) = match split {
        "train" => ("x_train", "y_train"),
        "val" => ("x_val", "y_val"),
        _ => ("x_test", "y_test"),
    };
    let number = |i: usize| u16::try_from(i % 7).map_or(0.0, f32::from) - 3.0;
    [
        Array::f32(x, &[rows, 1], (0..rows).map(number)),
        Array::i64(y, &[rows], (0..rows).map(|i| i64::from(i % 7 > 3))),
    ]
}

#[test]
fn the_files_own_validation_rows_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    write(&data, false, &[signs("train", 70), signs("val", 35)].into_iter().flatten().collect::<Vec<_>>());
    let stop = "early_stopping = { patience = 1, monitor = 'val_accuracy' }\n";
    let plateau = "[schedule]\nname = 'reduce_on_plateau'\nmonitor = 'val_loss'\n";
    let text = CONFIG.replace("LOSS", "cross_entropy") + stop + plateau;
    std::fs::write(folder.path().join("c.toml"), &text).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "watched"]);
    // Where the file has none, a share must be held out.
    write(&data, false, &signs("train", 70));
    let error = fail(folder.path(), &["train", "c.toml", "--out", "none"], 2);
    assert!(error.contains("monitor` is `val_") && error.contains("`data.validation` is 0"), "{error}");
    assert!(!folder.path().join("none").exists());
}

#[test]
fn held_out_rows_that_do_not_count_are_an_error_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let ignored = |y, rows: usize| Array::i64(y, &[rows], vec![-100; rows]);
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    for (split, y, name) in [("test", "y_test", "test"), ("val", "y_val", "validation")] {
        let [x, _] = signs(split, 14);
        let [x_train, y_train] = signs("train", 70);
        write(&folder.path().join("data.npz"), false, &[x_train, y_train, x, ignored(y, 14)]);
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 2);
        assert!(
            error.contains(&format!("no row of the {name} split")) && error.contains("all 14"),
            "{error}"
        );
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn a_fitted_normalisation_counts_as_memory() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let rows = 1 << 18;
    let x = Array::new("x_train", "|i1", &[rows, 8], (0..=255).cycle().take(rows * 8).collect());
    let y = Array::i64("y_train", &[rows], (0..rows).map(|i| i64::from(i % 2 == 0)));
    write(&folder.path().join("data.npz"), true, &[x, y]);
    let set = |normalize: &str, memory: &str| {
        let sets = [format!("data.normalize='{normalize}'"), format!("data.memory={memory}")];
        let all = ["train", "c.toml", "-q", "--out", normalize, "--set", &sets[0], "--set", &sets[1]];
        let more = ["--set", "train.max_steps=1"];
        descent(folder.path(), &[&all[..], &more].concat())
    };
    // 2 MiB of bytes become 8 MiB of f32.
    let output = set("standard", "9");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("`data.normalize` makes numbers of the inputs, and that takes 8.0 MiB"),
        "{error}"
    );
    for (normalize, memory) in [("standard", "12"), ("none", "9")] {
        let output = set(normalize, memory);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn raw_money_is_hinted_at() {
    let folder = tempfile::tempdir().unwrap();
    let money = |name| Array::f32(name, &[40, 1], (0..40u16).map(|i| 1000.0 * f32::from(i)));
    write(&folder.path().join("data.npz"), false, &[money("x_train"), money("y_train")]);
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "mse")).unwrap();
    let words = |normalize: &str| {
        let set = format!("data.normalize='{normalize}'");
        let output = descent(folder.path(), &["train", "c.toml", "--out", normalize, "--set", &set]);
        String::from_utf8(output.stderr).unwrap()
    };
    let (raw, scaled) = (words("none"), words("standard"));
    assert!(raw.contains("`x_train` (up to 39000); set it to \"standard\""), "{raw}");
    assert!(!scaled.contains("x_train") && scaled.contains("`y_train` (up to 39000)"), "{scaled}");
}
