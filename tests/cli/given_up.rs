//! Updates that are given up.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::succeed;

fn write(folder: &Path, sections: &str) {
    let rows: Vec<String> = (0..40).map(|i| format!("{},{}", i % 7, ["a", "b"][i % 2])).collect();
    fs::write(folder.join("t.csv"), format!("x,y\n{}\n", rows.join("\n"))).unwrap();
    let text = format!(
        "[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'y'\n[model]\nname = 'mlp'\nhidden = [4]\n{sections}"
    );
    fs::write(folder.join("c.toml"), text).unwrap();
}

#[test]
fn max_time_ends_an_update_of_lbfgs_between_two_evaluations() {
    let folder = tempfile::tempdir().unwrap();
    for search in ["", "line_search_fn = 'strong_wolfe'\n"] {
        let sections = format!(
            "[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'lbfgs'\nlr = 1e-9\nmax_iter = 1000000000\n\
             tolerance_grad = 0.0\ntolerance_change = 0.0\n{search}[train]\nbatch_size = 'full'\nmax_time = 0.5\n"
        );
        write(folder.path(), &sections);
        let _ = fs::remove_dir_all(folder.path().join("run"));
        let started = Instant::now();
        succeed(folder.path(), &["train", "c.toml", "--out", "run", "-q"]);
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(folder.path().join("run/model.safetensors").is_file());
    }
}
