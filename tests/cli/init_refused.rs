//! Data for which `descent init` and `descent train DATA` write no config, and say why.

use std::fs;

use super::tables::{lines, write};
use crate::common::{descent, fail};

#[test]
fn what_cannot_be_learnt_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let refused = |text: &str, words: &[&str], code: i32| {
        write(path, "t.csv", text);
        let error = fail(path, &["init", "t.csv", "--target", "y"], code);
        let trained = fail(path, &["train", "t.csv", "--target", "y", "--out", "run"], code);
        assert!(!path.join("run").exists());
        for word in words {
            assert!(error.contains(word) && trained.contains(word), "no `{word}` in {error} {trained}");
        }
    };
    refused("", &["the file is empty"], 1);
    refused("x,y\n", &["no rows"], 1);
    refused("x,y\n1,a\n", &["the table has 1 row;", "10 at least"], 1);
    refused(&lines("x,y", 30, |i| format!("{i},a")), &["all rows have `a`; there is nothing to learn"], 1);
    refused(&lines("x,y", 30, |i| format!("{i},7")), &["all rows have `7`; there is nothing to learn"], 1);
    refused(&lines("x,y", 30, |i| format!("{i},n{i}")), &["every row has another text"], 1);
    refused(&lines("x,y", 30, |i| format!("{i},n{}", i / 2 * 2 + i % 3)), &["too many for classes"], 1);
    refused(
        &lines("x,y", 30, |i| format!("{i},{}", if i > 3 { "" } else { ["a", "b"][i % 2] })),
        &["it is missing in 26 rows, the first is line 6"],
        1,
    );
    refused(
        &lines("x,z", 30, |i| format!("{i},{i}")),
        &["there is no column `y` to predict", "t.csv", "`z`"],
        2,
    );
    let unique = lines("x,y", 30, |i| format!("n{i},{}", i * 7 % 11));
    refused(&unique, &["no column is usable as a feature: `x` (every row has a different value)"], 1);
    refused(&lines("y", 30, |i| (i * 7 % 11).to_string()), &["it has the target alone; add columns"], 1);
    write(path, "t.csv", lines("x,y,z", 30, |i| format!("{i},{i}.5,{i}.25")));
    let error = fail(path, &["init", "t.csv", "--target", "y, z"], 2);
    assert!(error.contains("; several targets are --target y --target z; it has"), "{error}");
    assert!(!fail(path, &["init", "t.csv", "--target", "y,q"], 2).contains("several"));
    let error = fail(path, &["init", "t.csv", "--target", "y", "-o", "nowhere/t.toml"], 2);
    assert!(error.contains("--output nowhere/t.toml: there is no folder nowhere"), "{error}");
}

#[test]
fn what_is_missing_or_of_no_known_kind_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "t.csv", lines("x,z", 30, |i| format!("{i},{i}")));
    let error = fail(path, &["init", "t.csv"], 2);
    assert!(
        error.contains("--target is missing") && error.contains("most likely `z`") && error.contains("`x`"),
        "{error}"
    );
    assert!(fail(path, &["train", "t.csv"], 2).contains("--target is missing"));
    for (name, words) in
        [("t.json", "no known format"), ("c.toml", "this is a config"), ("p.png", "one picture")]
    {
        write(path, name, "x");
        let error = fail(path, &["init", name, "--target", "y"], 1);
        assert!(error.contains(words), "{error}");
    }
    for command in [&["init"][..], &["train"]] {
        let error = fail(path, &[command, &["none.csv", "--target", "y"]].concat(), 1);
        assert!(error.contains("cannot open none.csv: No such file or directory"), "{error}");
    }
    fs::create_dir(path.join("empty")).unwrap();
    assert!(fail(path, &["init", "empty"], 1).contains("at least two classes"));
    assert_eq!(descent(path, &["init"]).status.code(), Some(2));
}

#[test]
fn a_target_that_most_rows_lack_is_refused_whatever_the_others_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let yes = |i: usize| if i.is_multiple_of(3) { "yes" } else { "" };
    for (rows, first, text) in [
        (30, 2, lines("x,y", 30, |i| format!("{i},"))),
        (20, 3, lines("x,y", 30, |i| format!("{i},{}", yes(i)))),
    ] {
        write(path, "t.csv", text);
        let error = fail(path, &["init", "t.csv", "--target", "y"], 1);
        assert!(
            error.contains(&format!("it is missing in {rows} rows, the first is line {first}")),
            "{error}"
        );
    }
}
