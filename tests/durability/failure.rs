//! What is no longer finite is found before the update, written down, and can be repeated.

use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::{config, newest};
use crate::common::{fail, succeed};

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// The step in "… at step 12 (…".
fn step(error: &str) -> u64 {
    error.split("at step ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// Systems that diverge, by name, as sections of a config.
const DIVERGING: &[(&str, &str)] = &[
    ("plain", "[model]\nname = 'mlp'\n[optimizer]\nname = 'sgd'\nlr = 1e15\n[train]\n"),
    ("parts", "[model]\nname = 'mlp'\n[optimizer]\nname = 'sgd'\nlr = 1e20\n[train]\naccumulate = 2\n"),
    ("adam", "[model]\nname = 'mlp'\nhidden = [8, 8]\n[optimizer]\nname = 'adam'\nlr = 1e20\n[train]\n"),
    (
        "norm",
        "[model]\nname = 'mlp'\nbatch_norm = true\ndropout = 0.2\n[optimizer]\nname = 'sgd'\nlr = 1e20\nmomentum = 0.9\n\
             [train]\naverage = { name = 'ema' }\n",
    ),
    (
        "rnn",
        "[model]\nname = 'rnn'\nhidden_size = 8\nnonlinearity = 'relu'\n[optimizer]\nname = 'sgd'\nlr = 2e3\n[train]\n",
    ),
];

/// Holds the record of a failure against the checkpoint of the same run, told to stop one update earlier.
fn assert_records_the_state_before(folder: &Path, failed: u64) {
    let limit = format!("train.max_steps={}", failed - 1);
    let until = ["train", "c.toml", "-q", "--out", "until", "--set", &limit];
    let output = crate::common::descent(folder, &until);
    if !folder.join("until/checkpoints").exists() {
        // What cannot be tested or saved is too large already.
        assert!(!output.status.success());
        return;
    }
    let before = newest(&folder.join("until"));
    assert!(before.ends_with(format!("step-{:08}", failed - 1)));
    for file in ["model", "optimizer"].map(|name| format!("{name}.safetensors")) {
        assert!(bytes(&before.join(&file)) == bytes(&folder.join("run/failure").join(&file)), "{file}");
    }
}

#[test]
fn a_diverging_run_leaves_the_state_before_the_update_and_the_batch() {
    for (name, sections) in DIVERGING {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), config(sections, 500)).unwrap();
        let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run"], 1);
        assert!(error.contains("the first that is not finite is the "), "{name}: {error}");
        let failed = step(&error);
        let failure = folder.path().join("run/failure");
        if failed > 1 {
            assert_records_the_state_before(folder.path(), failed);
        }
        let progress = fs::read_to_string(failure.join("progress.toml")).unwrap();
        for part in ["[failure]", "seed = 5", "lr = ", "first = ", &format!("step = {failed}")] {
            assert!(progress.contains(part), "{part}: {progress}");
        }
        let batch = descent::checkpoint::load(&failure.join("batch.safetensors")).unwrap();
        assert_eq!(batch["rows"].dims()[0], batch["xs"].dims()[0]);
        for folder_or_run in ["run/failure", "run"] {
            let messages = succeed(folder.path(), &["replay", folder_or_run, "--threads", "1"]);
            assert!(
                messages.contains("repeated to the bit:") && messages.contains("at step "),
                "{name}: {messages}"
            );
        }
        // The data is not needed; the state is, whole.
        let model = failure.join("model.safetensors");
        let mut damaged = bytes(&model);
        let end = damaged.len() - 2;
        damaged[end] ^= 64;
        fs::write(&model, damaged).unwrap();
        assert!(fail(folder.path(), &["replay", "run"], 1).contains("it is damaged"));
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_found_where_the_loss_still_is() {
    let folder = tempfile::tempdir().unwrap();
    let scale = |value: f64, shape: &[usize]| Tensor::full(value, shape, &Device::Cpu).unwrap();
    let xs = scale(1e25, &[8, 2]);
    let ys = Tensor::new(&[0i64, 1, 0, 1, 0, 1, 0, 1], &Device::Cpu).unwrap();
    Tensor::write_npz(&[("x_train", xs), ("y_train", ys)], folder.path().join("a.npz")).unwrap();
    let as_f32 = |tensor: Tensor| tensor.to_dtype(candle_core::DType::F32).unwrap();
    let row = Tensor::new(&[[1e20f32], [-1e20]], &Device::Cpu).unwrap();
    let weights = [
        ("layer1.weight", as_f32(scale(1e-10, &[1, 2]))),
        ("layer1.bias", as_f32(scale(0.0, &[1]))),
        ("layer2.weight", row),
        ("layer2.bias", as_f32(scale(0.0, &[2]))),
    ];
    let path = folder.path().join("w.safetensors");
    descent::checkpoint::save(&descent::files::Local, &path, weights).unwrap();
    for optimizer in ["name = 'sgd'", "name = 'sgd'\nmomentum = 0.9", "name = 'adam'", "name = 'lbfgs'"] {
        for train in
            ["batch_size = 'full'", "batch_size = 2", "clip_grad_norm = 1.0", "clip_grad_value = 1.0"]
        {
            let text = format!(
                "[data]\nname = 'npz'\npath = 'a.npz'\n[model]\nname = 'mlp'\nhidden = [1]\n[loss]\n\
                 name = 'cross_entropy'\n[optimizer]\n{optimizer}\n[train]\n{train}\n"
            );
            fs::write(folder.path().join("c.toml"), text).unwrap();
            let arguments = ["train", "c.toml", "-q", "--out", "run", "--init-from", "w.safetensors"];
            let error = fail(folder.path(), &arguments, 1);
            assert!(
                error.contains("the norm of the gradients became inf at step 1"),
                "{optimizer} {train}: {error}"
            );
            assert!(error.contains("the gradient of `layer1.weight`"), "{optimizer} {train}: {error}");
            // Not one weight had moved.
            assert_eq!(bytes(&folder.path().join("run/failure/model.safetensors")), bytes(&path));
            succeed(folder.path(), &["replay", "run"]);
            fs::remove_dir_all(folder.path().join("run")).unwrap();
        }
    }
}

#[test]
fn a_run_that_failed_goes_on_from_its_last_good_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let sections = "[model]\nname = 'mlp'\n[optimizer]\nname = 'sgd'\nlr = 0.05\n[train]\n";
    fs::write(folder.path().join("c.toml"), config(sections, 500)).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", "train.epochs=2"]);
    assert!(fail(folder.path(), &["replay", "run"], 1).contains("no failure record found"));
    let more = ["train", "-q", "--resume", "run", "--set", "train.epochs=9"];
    let error = fail(folder.path(), &[&more[..], &["--set", "optimizer.lr=1e15"]].concat(), 1);
    assert!(step(&error) > 18, "{error}");
    succeed(folder.path(), &[&more[..], &["--set", "optimizer.lr=0.05"]].concat());
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "whole", "--set", "train.epochs=9"]);
    assert_eq!(super::log(&folder.path().join("run")), super::log(&folder.path().join("whole")));
}
