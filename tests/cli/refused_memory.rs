//! Memory that the system refuses.

use std::fs;
use std::process::{Command, Output};

use crate::common::executable;

/// Runs the program with this much address space, in KiB.
fn descent(folder: &std::path::Path, kib: u32, arguments: &str) -> Output {
    let program = executable();
    let command = format!("ulimit -v {kib}; exec \"$0\" {arguments}");
    Command::new("sh")
        .args(["-c", &command])
        .arg(program)
        .current_dir(folder)
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap()
}

#[test]
fn it_is_a_sentence_and_no_abort() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[data]\nname = 'mnist-sample'\nlimit = 200\n[model]\nname = 'mlp'\nhidden = [4096, 4096]\n\
                [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 1\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    for kib in [300_000, 400_000] {
        let output = descent(folder.path(), kib, "train c.toml --threads 1 --out run");
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{kib}: {words}");
        let errors: Vec<&str> = words.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(
            matches!(errors[..], [one] if one.contains("bytes of memory") && one.contains("ulimit -v")),
            "{words}"
        );
        assert!(!words.contains("backtrace") && !words.contains("panicked"), "{words}");
    }
}
