//! Outputs that would replace a file of a run.

use std::fs;

use crate::common::{fail, repository, succeed};

#[test]
fn no_command_writes_over_the_files_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let iris = repository("tests/tables/iris.csv");
    let text = "seed = 1\n[data]\nname = 'csv'\ntarget = 'species'\n[model]\nname = 'mlp'\n[loss]\nname = 'cross_entropy'\n\
                [optimizer]\nname = 'adam'\n[train]\nepochs = 1\n";
    let path = format!("path = '{}'\ntarget", iris.display());
    fs::write(folder.join("c.toml"), text.replace("target", &path)).unwrap();
    for out in ["a", "b"] {
        succeed(folder, &["train", "c.toml", "-q", "--out", out]);
    }
    let input = iris.to_str().unwrap();
    let files = [
        "a/model.safetensors",
        "a/config.toml",
        "./a/metrics.jsonl",
        "a/../a/data.toml",
        "a/checkpoints/x.csv",
    ];
    for file in files {
        let before = fs::read(folder.join(file)).ok();
        let predict = ["predict", "a", "--input", input, "--format", "csv", "--output", file];
        for arguments in
            [&predict[..], &["report", "a", "--output", file], &["compare", "a", "b", "--svg", file]]
        {
            let error = fail(folder, arguments, 2);
            assert!(error.contains("file of a run") && error.contains(file), "{error}");
            assert_eq!(fs::read(folder.join(file)).ok(), before, "{file}");
        }
    }
    // Other files in its folder are anybody's.
    succeed(folder, &["report", "a", "--output", "a/report.html"]);
}
