//! A GPU beside the CPU: `DESCENT_TEST_DEVICE=cuda`, a real one or an emulated one (`tests/cuda/emulator`).

mod configs;
mod library;
mod program;
mod updates;

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{graph, program, repository, succeed};
use crate::configs::write_mnist;

/// The numbers of this name in a run's log, and those of its end.
pub(super) fn numbers(run: &Path, name: &str) -> Vec<f64> {
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| line.get(name)?.as_f64()).collect()
}

pub(super) use crate::common::configs;

/// `train.cuda_graph` off and on, or the one that `DESCENT_TEST_GRAPH` picks.
pub(super) fn graphs() -> Vec<bool> {
    graph().map_or_else(|| vec![false, true], |graph| vec![graph])
}

/// The same as options of the program.
pub(super) fn graph_options() -> Vec<String> {
    graphs().into_iter().map(|graph| format!("train.cuda_graph={graph}")).collect()
}

/// A folder with the data that configs/ names.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mnist = folder.path().join("data/mnist");
    fs::create_dir_all(&mnist).unwrap();
    write_mnist(&mnist, 150);
    std::os::unix::fs::symlink(repository("tests"), folder.path().join("tests")).unwrap();
    folder
}

/// Trains a config for a few updates on a device, and gives the run's folder.
pub(super) fn train(folder: &Path, config: &Path, device: &str, options: &[&str]) -> PathBuf {
    let name = format!("{}-{device}{}", config.file_stem().unwrap().to_string_lossy(), options.join(""));
    let out = name.replace(|c: char| !c.is_alphanumeric(), "-");
    let mut arguments = vec!["train", config.to_str().unwrap(), "--device", device, "--out", &out];
    let sets = ["train.measure_train=true", "train.tensorboard=false"];
    arguments.extend(sets.iter().chain(options).flat_map(|option| ["--set", option]));
    succeed(folder, &arguments);
    folder.join(out)
}

/// What the emulated GPU counted in a run; nothing on a real one.
pub(super) fn counted(folder: &Path, config: &str, options: &[&str]) -> Option<serde_json::Value> {
    let log = folder.join("counted.json");
    let mut arguments = vec!["train", config, "--device", "cuda", "--out", "counted"];
    let sets = ["train.epochs=1", "data.limit=150", "train.batch_size=2", "train.checkpoint_every=\"never\""];
    arguments.extend(sets.iter().chain(options).flat_map(|option| ["--set", option]));
    let output = program(folder, &arguments).env("DESCENT_EMULATOR_LOG", &log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(folder.join("counted")).unwrap();
    let counted = fs::read(&log).ok()?;
    Some(serde_json::from_slice(&counted).unwrap())
}
