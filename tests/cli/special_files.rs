//! Pipes and devices where files are expected: nothing waits for them, and errors have their names.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;

use super::bad_input::folder;
use super::tables::{config, lines, train, write};
use crate::common::{fail, program, succeed};

fn pipe(folder: &Path, name: &str) {
    assert!(Command::new("mkfifo").arg(folder.join(name)).status().unwrap().success());
}

/// A folder with a table, its config and a run on it.
fn trained() -> tempfile::TempDir {
    let folder = folder();
    let path = write(folder.path(), "t.csv", lines("x,y", 40, |row| format!("{},{row}", row % 7)));
    train(folder.path(), &config("csv", &path, "y", "", "mse"), "run");
    folder
}

#[test]
fn a_pipe_is_no_config_and_no_table() {
    let folder = trained();
    let folder = folder.path();
    pipe(folder, "c.pipe");
    // No config: as one that is not there.
    for arguments in [&["train", "c.pipe"][..], &["config", "check", "c.pipe"], &["train", "/dev/zero"]] {
        let error = fail(folder, arguments, 2);
        assert!(error.contains(arguments[arguments.len() - 1]) && error.contains("not a file"), "{error}");
    }
    for (format, name) in [("csv", "t.pipe"), ("jsonl", "u.pipe"), ("parquet", "v.pipe")] {
        pipe(folder, name);
        let (source, path) = (format!("data.name={format}"), format!("data.path={name}"));
        let error = fail(folder, &["train", "c.toml", "--set", &source, "--set", &path, "--out", "new"], 1);
        assert!(error.contains(name) && error.contains("not a file"), "{error}");
        let error = fail(folder, &["predict", "run", "--input", name], 1);
        assert!(error.contains(name) && error.contains("not a file"), "{error}");
    }
    assert!(!folder.join("new").exists());
}

#[test]
fn a_pipe_and_a_device_are_not_replaced_by_predictions() {
    let folder = trained();
    let folder = folder.path();
    pipe(folder, "out.csv");
    for output in ["out.csv", "/dev/full", "/dev/null"] {
        let error =
            fail(folder, &["predict", "run", "--input", "t.csv", "--format", "csv", "--output", output], 1);
        assert!(error.contains(output) && error.contains("a device, a pipe or a socket"), "{error}");
    }
}

#[test]
fn a_full_standard_output_is_named() {
    let folder = trained();
    let folder = folder.path();
    succeed(folder, &["eval", "run", "--input", "t.csv"]);
    for (arguments, name) in [
        (&["eval", "run", "--input", "t.csv"][..], "standard output"),
        (&["list"], "standard output"),
        (&["config", "show", "c.toml"], "standard output"),
        (&["predict", "run", "--input", "t.csv"], "the predictions"),
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = program(folder, arguments).stdout(full).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("error: cannot write") && error.contains(name), "{arguments:?}: {error}");
    }
}
