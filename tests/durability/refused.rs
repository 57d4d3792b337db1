//! What a run is not resumed with, and what is done about damage.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{log, newest, small_run};
use crate::common::{descent, fail, succeed};

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// All files of a folder and their bytes.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.push((path.to_string_lossy().into_owned(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn another_seed_model_or_data_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    let before = everything(&run);
    for (set, messages) in [
        ("seed=6", "seed = 6 (was 5)"),
        ("model.hidden=[5]", "model.hidden = [5] (was [4])"),
        ("model.activation='tanh'", "model.activation = \"tanh\" (was \"relu\")"),
        ("data.limit=100", "data.limit = 100 (was 250)"),
        ("data.validation=0.3", "data.validation = 0.3 (was 0.2)"),
        ("train.dtype='f64'", "train.dtype = \"f64\" (was \"f32\")"),
    ] {
        let error = fail(folder.path(), &["train", "--resume", "run", "--set", set], 2);
        assert!(error.contains(messages), "{error}");
    }
    let error = fail(folder.path(), &["train", "--resume", "run", "--set", "optimizer.amsgrad=true"], 1);
    assert!(error.contains("`layer1.weight.max_exp_avg_sq` is missing"), "{error}");
    // The same by hand, in the run's own config.
    let config = text(&run.join("config.toml"));
    fs::write(run.join("config.toml"), config.replace("seed = 5", "seed = 7")).unwrap();
    assert!(fail(folder.path(), &["train", "--resume", "run"], 2).contains("seed = 7 (was 5)"));
    fs::write(run.join("config.toml"), config).unwrap();
    for wrong in [&["c.toml"][..], &["--out", "b"], &["--init-from", "w.safetensors"]] {
        fail_usage(folder.path(), &[&["train", "--resume", "run"], wrong].concat());
    }
    assert_eq!(everything(&run), before, "a refusal changes nothing");
}

fn fail_usage(folder: &Path, arguments: &[&str]) {
    assert_eq!(descent(folder, arguments).status.code(), Some(2));
}

#[test]
fn other_values_in_the_data_are_refused_and_a_moved_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, change: f64| {
        use candle_core::{Device, Tensor};
        let xs = (Tensor::arange(0f64, 60.0, &Device::Cpu).unwrap().reshape((20, 3)).unwrap() * 0.1).unwrap();
        let mut values = xs.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        values[31] += change;
        let xs = Tensor::from_vec(values, (20, 3), &Device::Cpu).unwrap();
        let ys = xs.sum(1).unwrap();
        Tensor::write_npz(&[("x_train", xs), ("y_train", ys)], folder.path().join(name)).unwrap();
    };
    write("a.npz", 0.0);
    let config = "[data]\nname = 'npz'\npath = 'a.npz'\n[model]\nname = 'mlp'\n[loss]\nname = 'mse'\n[optimizer]\n\
                  name = 'sgd'\n[train]\nepochs = 2\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    succeed(folder.path(), &["train", "-q", "c.toml", "--out", "run"]);
    write("a.npz", 1e-9);
    let more = ["train", "-q", "--resume", "run", "--set", "train.epochs=3"];
    // In f32 the change is far below rounding; one that can be seen is.
    write("a.npz", 1e-3);
    let error = fail(folder.path(), &more, 1);
    assert!(error.contains("a.npz") && error.contains("the training rows have other values"), "{error}");
    write("b.npz", 0.0);
    succeed(folder.path(), &[&more[..], &["--set", "data.path=b.npz"]].concat());
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    let (whole, last) = (log(&run), newest(&run));
    let model = last.join("model.safetensors");
    let mut bytes = fs::read(&model).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    fs::write(&model, &bytes).unwrap();
    let output = descent(folder.path(), &["train", "--resume", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    assert!(
        messages.contains(
            &model
                .display()
                .to_string()
                .replace(folder.path().to_str().unwrap(), "")
                .trim_start_matches('/')
                .to_owned()
        ),
        "{messages}"
    );
    assert!(messages.contains("it is damaged; going on from the checkpoint before it"), "{messages}");
    assert_eq!(log(&run), whole);
    // Nothing of the damaged one is lost, and the same step was saved again.
    assert!(
        last.with_file_name(format!("{}.damaged-1", last.file_name().unwrap().to_str().unwrap())).exists()
    );
    assert_ne!(fs::read(&model).unwrap(), bytes);
}

#[test]
fn damage_to_any_file_of_a_checkpoint_leaves_the_others_whole() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    let names: Vec<_> = fs::read_dir(newest(&run)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let run = small_run(folder.path(), &format!("run-{}", name.display()));
        let path = newest(&run).join(&name);
        // In place: names that share a file would all have it.
        let file = fs::File::options().write(true).open(&path).unwrap();
        std::os::unix::fs::FileExt::write_at(&file, b"\xff\xff", 40).unwrap();
        let out = run.file_name().unwrap().to_str().unwrap();
        let output = descent(folder.path(), &["train", "--resume", out]);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && messages.contains("going on from the checkpoint before it"),
            "{messages}"
        );
    }
}

#[test]
fn where_no_checkpoint_is_good_nothing_begins() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    for entry in fs::read_dir(run.join("checkpoints")).unwrap() {
        fs::write(entry.unwrap().path().join("progress.toml"), "epoch = 1\n").unwrap();
    }
    let before = everything(&run);
    let error = fail(folder.path(), &["train", "--resume", "run"], 1);
    assert!(error.contains("no checkpoint is whole") && error.contains("start again"), "{error}");
    assert_eq!(everything(&run), before);
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let error = fail(folder.path(), &["train", "--resume", "run"], 1);
    assert!(error.contains("there is no checkpoint to go on from"), "{error}");
    fail(folder.path(), &["train", "--resume", "nowhere"], 1);
}

#[test]
fn a_log_that_was_changed_is_damage_and_one_that_grew_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    let whole = text(&run.join("metrics.jsonl"));
    fs::write(run.join("metrics.jsonl"), format!("{whole}{{\"half a li")).unwrap();
    succeed(folder.path(), &["train", "-q", "--resume", "run"]);
    assert_eq!(text(&run.join("metrics.jsonl")).lines().count(), whole.lines().count());
    fs::write(run.join("metrics.jsonl"), whole.replacen("train_loss", "train_lost", 1)).unwrap();
    let error = fail(folder.path(), &["train", "--resume", "run"], 1);
    assert!(error.contains("metrics.jsonl") && error.contains("no longer begins as it did"), "{error}");
}

#[test]
fn what_lies_in_the_way_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("precious"), "mine").unwrap();
    let run = small_run(folder.path(), "run");
    let more = ["train", "-q", "--resume", "run", "--set", "train.epochs=6"];
    fs::remove_file(run.join("model.safetensors")).unwrap();
    symlink(elsewhere.join("precious"), run.join("model.safetensors")).unwrap();
    let error = fail(folder.path(), &more, 1);
    assert!(error.contains("a symbolic link lies where a file is to be written"), "{error}");
    fs::remove_file(run.join("model.safetensors")).unwrap();
    fs::create_dir(run.join("model.safetensors")).unwrap();
    assert!(fail(folder.path(), &more, 1).contains("a folder lies where a file is to be written"));
    fs::remove_dir(run.join("model.safetensors")).unwrap();
    succeed(folder.path(), &more);
    assert_eq!(text(&elsewhere.join("precious")), "mine");
    // A link with the name under which a file is written is no way out of the folder either.
    symlink(elsewhere.join("precious"), run.join(".model.safetensors.part")).unwrap();
    succeed(folder.path(), &["train", "-q", "--resume", "run", "--set", "train.epochs=7"]);
    assert_eq!(text(&elsewhere.join("precious")), "mine");
    // A pipe would be read for ever.
    let pipe = folder.path().join("pipe.safetensors");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(fail(folder.path(), &["inspect", "pipe.safetensors"], 1).contains("not a file"));
    fail(folder.path(), &["train", "small.toml", "--out", "x", "--init-from", "pipe.safetensors"], 1);
}

#[test]
fn what_a_crash_left_over_is_removed_and_files_have_the_usual_mode() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    fs::write(run.join(".model.safetensors.part"), "half").unwrap();
    let part = run.join("checkpoints/.step-00000099.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join("model.safetensors"), "half").unwrap();
    succeed(folder.path(), &["train", "-q", "--resume", "run"]);
    for (path, _) in everything(&run) {
        assert!(!path.contains(".part"), "{path}");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & !0o644, 0, "{path} {mode:o}");
    }
}

#[test]
fn values_that_are_not_finite_are_refused_unless_asked_for() {
    use candle_core::{Device, Tensor};
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run");
    let mut tensors = descent::checkpoint::load(&run.join("model.safetensors")).unwrap();
    tensors.insert("layer1.bias".to_owned(), Tensor::new(&[1f32, f32::NAN, 0.0, 0.0], &Device::Cpu).unwrap());
    let path = folder.path().join("nan.safetensors");
    let all = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone()));
    descent::checkpoint::save(&descent::files::Local, &path, all).unwrap();
    let start = ["train", "small.toml", "--out", "x", "--init-from", "nan.safetensors"];
    let error = fail(folder.path(), &start, 1);
    assert!(error.contains("`layer1.bias`") && error.contains("--allow-nonfinite"), "{error}");
    let error = fail(folder.path(), &[&start[..], &["--allow-nonfinite"]].concat(), 1);
    assert!(
        error.contains("became NaN at step 1") && error.contains("the parameter `layer1.bias`"),
        "{error}"
    );
    fs::copy(&path, run.join("model.safetensors")).unwrap();
    assert!(fail(folder.path(), &["eval", "run"], 1).contains("`layer1.bias`"));
}
