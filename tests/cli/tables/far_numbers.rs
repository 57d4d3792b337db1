//! Numbers far outside those of training.

use std::fs;
use std::path::Path;

use crate::common;

const CONFIG: &str = "seed = 1\n[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'y'\nsplit_column = 'split'\nNORMALIZE\n\
                      [model]\nname = 'mlp'\nhidden = [8]\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n\
                      [train]\nepochs = 2\n";

fn table(odd: &[usize]) -> String {
    let row = |i: usize| {
        let x = if odd.contains(&i) { "-999999".to_owned() } else { (i * 7 % 50).to_string() };
        let (split, y) = (["train", "train", "validation", "test"][i % 4], ["yes", "no", "no"][i % 3]);
        format!("{x},{},{split},{y}\n", i % 10)
    };
    std::iter::once("x,z,split,y\n".to_owned()).chain((0..400).map(row)).collect()
}

/// Writes the data and the config, runs the program, and returns what it says.
fn said(folder: &Path, data: &str, normalize: &str, arguments: &[&str]) -> String {
    fs::write(folder.join("t.csv"), data).unwrap();
    fs::write(folder.join("c.toml"), CONFIG.replace("NORMALIZE", &format!("normalize = '{normalize}'")))
        .unwrap();
    common::said(folder, arguments)
}

#[test]
fn a_held_out_number_far_outside_those_of_training_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("standard", &[][..], None),
        // Row 2 is in line 4, and validates; row 11 is tested on.
        ("standard", &[2, 11], Some("column `x`: 2 numbers far outside those of training (the first is")),
        ("minmax", &[2, 11], Some("in line 4)")),
        // Training has seen this one; its quartiles are far from it all the same.
        ("standard", &[0], None),
        ("robust", &[0, 2], None),
        ("robust", &[2, 11], Some("2 numbers")),
        ("robust_smooth", &[2, 11], None),
        ("none", &[2, 11], None),
    ];
    for (case, (normalize, odd, expected)) in cases.into_iter().enumerate() {
        let train = ["train", "c.toml", "--out", &format!("run-{case}")];
        let said = said(folder.path(), &table(odd), normalize, &train);
        assert_eq!(said.contains("far outside"), expected.is_some(), "{normalize}, {odd:?}: {said}");
        assert!(said.contains(expected.unwrap_or("")), "{normalize}, {odd:?}: {said}");
    }
    // 200 deviations from the mean of 0 to 49, and 70.
    for (x, expected) in [("3000", true), ("1000", false)] {
        fs::write(folder.path().join("other.csv"), table(&[17]).replace("-999999", x)).unwrap();
        let predict = ["predict", "run-0", "--input", "other.csv", "--output", "answers.csv"];
        let said = said(folder.path(), &table(&[]), "standard", &predict);
        assert_eq!(said.contains("1 number far outside"), expected, "{said}");
    }
    fs::write(folder.path().join("other.csv"), table(&[17])).unwrap();
    let predict = ["predict", "run-0", "--input", "other.csv", "--output", "answers.csv"];
    let said = said(folder.path(), &table(&[]), "standard", &predict);
    assert!(said.contains("1 number far outside") && said.contains("in line 19"), "{said}");
    let said = self::said(folder.path(), &table(&[]), "standard", &["eval", "run-0", "--input", "other.csv"]);
    assert!(said.contains("1 number far outside") && said.contains("in line 19"), "{said}");
}

#[test]
fn a_held_out_target_far_outside_those_of_training_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = CONFIG.replace("cross_entropy", "mse").replace("NORMALIZE", "normalize = 'standard'");
    for (case, (odd, expected)) in [(0, false), (2, true), (3, true)].into_iter().enumerate() {
        let row = |i: usize| {
            let y = if i == odd { 1e9 } else { [0.5, 1.25, 3.0][i % 3] };
            format!("{},{},{},{y}\n", i * 7 % 50, i % 10, ["train", "train", "validation", "test"][i % 4])
        };
        let data = std::iter::once("x,z,split,y\n".to_owned()).chain((0..400).map(row)).collect::<String>();
        fs::write(folder.path().join("t.csv"), data).unwrap();
        fs::write(folder.path().join("c.toml"), &config).unwrap();
        let said = common::said(folder.path(), &["train", "c.toml", "--out", &format!("run-{case}")]);
        let names = format!(
            "column `y`: 1 number far outside those of training (the first is `1000000000.0` in line {})",
            odd + 2
        );
        assert_eq!(said.contains(&names), expected, "{odd}: {said}");
    }
}

#[test]
fn a_training_row_of_weight_0_tells_nothing_of_what_training_has() {
    let folder = tempfile::tempdir().unwrap();
    let config = CONFIG.replace("NORMALIZE", "normalize = 'standard'\nweight = 'z'");
    // z is 0 in row 0, which trains, and 1 in row 11, which is tested on.
    fs::write(folder.path().join("t.csv"), table(&[0, 11])).unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let said = common::said(folder.path(), &["train", "c.toml", "--out", "run"]);
    assert!(said.contains("2 numbers far outside"), "{said}");
}
