//! Bad input: one sentence, the right exit code, no file lost and none left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{descent, executable, fail, succeed};
use crate::configs::write_mnist;

const CONFIG: &str = "seed = 1\n[data]\nname = 'mnist'\npath = 'mnist'\n[model]\nname = 'mlp'\nhidden = [8]\n\
                      [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\n[train]\nbatch_size = 8\n";

/// A folder with a good config `c.toml` and 41 images in `mnist`.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    write_mnist(&folder.path().join("mnist"), 41);
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// layering: long because it is a table of cases.
#[test]
fn a_config_that_cannot_be_names_the_place_and_the_way_out() {
    let folder = folder();
    let cases = [
        ("lr = 0.1", "lr = -0.1", &["c.toml, line 12", "`optimizer.lr` is -0.1"][..]),
        ("lr = 0.1", "lr = nan", &["line 12", "`optimizer.lr` is NaN"]),
        ("lr = 0.1", "lr = inf", &["line 12", "finite"]),
        ("lr = 0.1", "momentun = 0.9", &["line 12", "did you mean `momentum`?"]),
        ("lr = 0.1", "lr = 'fast'", &["line 12", "expected a number"]),
        ("lr = 0.1", "nesterov = true", &["line 12", "`momentum`"]),
        ("'sgd'", "'adm'", &["line 11", "unknown optimizer `adm`", "`adam`", "`rmsprop`"]),
        ("'mlp'", "'cnn'", &["line 6", "unknown model", "`rnn`"]),
        ("'cross_entropy'", "'mse'", &["cross_entropy"]),
        ("batch_size = 8", "batch_size = 0", &["line 14", "1 or more"]),
        ("batch_size = 8", "batch_size = 8\nepochs = 0", &["line 15", "1 or more"]),
        ("batch_size = 8", "batch_size = 8\nclip_grad_norm = -1", &["clip_grad_norm"]),
        ("hidden = [8]", "hidden = [8]\nbatch_norm = true", &["line 15", "batch_norm", "drop_last"]),
        ("hidden = [8]", "hidden = [8]\ndropout = 1.5", &["dropout", "between 0 and 1"]),
        ("hidden = [8]", "hidden = [8]\nactivation = 'rely'", &["activation", "did you mean `relu`?"]),
        ("hidden = [8]", "hidden = [8]\ninit = { bias = 'kaiming_normal' }", &["model.init.bias", "vector"]),
        (
            "hidden = [8]",
            "hidden = [8]\ninit = { hidden = 'kaming_normal' }",
            &["model.init.hidden", "kaiming_normal"],
        ),
        ("path = 'mnist'", "path = 'mnist'\nsequence = [28, 28]", &["line 5", "sequence", "rnn"]),
        ("path = 'mnist'", "path = 'mnist'\nvalidation = 1.0", &["data.validation"]),
        ("path = 'mnist'", "path = 'mnist'\nvalidation = 0.001\nlimit = 1", &["`data.validation` is 0.001"]),
        ("path = 'mnist'", "path = 'mnist'\nnormalize = { mean = 1, std = 0 }", &["data.normalize", "std"]),
        (
            "hidden = [8]",
            "hidden = [8]\ninit = { output = { name = 'uniform', a = nan } }",
            &["model.init.output", "finite"],
        ),
        (
            "hidden = [8]",
            "hidden = [8]\ninit = { output = { name = 'trunc_normal', a = 2, b = 1 } }",
            &["greater than `a`"],
        ),
        ("hidden = [8]", "hidden = [1048576, 1048576]", &["larger than", "smaller widths"]),
        ("[loss]", "[loss]\nweight = [0.0, 0.0]", &["loss.weight", "no class that counts"]),
        ("batch_size = 8", "early_stopping = 3", &["early_stopping", "a table"]),
        (
            "batch_size = 8",
            "early_stopping = { monitor = 'val_f2' }",
            &["monitor", "`val_f2`", "val_accuracy"],
        ),
        ("batch_size = 8", "early_stopping = { monitor = 'train_loss', min_delta = -1.0 }", &["min_delta"]),
        (
            "'sgd'\nlr = 0.1\n",
            "'adagrad'\n[schedule]\nname = 'one_cycle'\n",
            &["`schedule.cycle_momentum` is true", "`adagrad` has neither", "`cycle_momentum = false`"],
        ),
        (
            "'sgd'\nlr = 0.1\n",
            "'adam'\ngroups = [{ match = '*.bias', name = 'asgd' }]\n[schedule]\nname = 'cyclic'\n",
            &["`schedule.cycle_momentum` is true", "`asgd` has neither"],
        ),
        (
            "'sgd'\nlr = 0.1\n",
            "'adam'\n[schedule]\nname = 'sequential'\nmilestones = [2]\n\
             schedules = [{ name = 'constant' }, { name = 'cyclic', max_momentum = 1.0 }]\n",
            &[
                "`schedule.schedules[1].cycle_momentum` is true and sets `betas[0]`",
                "`max_momentum`",
                "less than 1",
            ],
        ),
        ("[train]", "[schedule]\nname = 'cosine'\n[train]", &["unknown schedule", "cosine_annealing"]),
        (
            "[train]",
            "[schedule]\nname = 'step'\nstep_size = 0\n[train]",
            &["schedule.step_size", "1 or more"],
        ),
        ("seed = 1", "seed = 1.5", &["line 1", "whole number"]),
        ("[train]", "[trian]", &["did you mean `train`?"]),
        ("[train]", "[train", &["line 13"]),
    ];
    for (from, to, words) in cases {
        fs::write(folder.path().join("c.toml"), CONFIG.replacen(from, to, 1)).unwrap();
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 2);
        for word in words {
            assert!(error.contains(word), "{to}: no `{word}` in: {error}");
        }
        assert_eq!(names(folder.path()), ["c.toml", "mnist"], "{to}");
    }
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let folder = folder();
    for arguments in [
        &["train", "none.toml"][..],
        &["train", "c.toml", "--device", "tpu"],
        &["train", "c.toml", "--threads", "0"],
        &["train", "c.toml", "--set", "optimizer.lr"],
        &["train", "c.toml", "--set", "=1"],
        &["train", "c.toml", "--set", "data.limit=1 = 2"],
        &["train", "c.toml", "--out", "c.toml"],
    ] {
        fail(folder.path(), arguments, 2);
    }
    #[cfg(not(feature = "cuda"))]
    assert!(fail(folder.path(), &["train", "c.toml", "--device", "cuda"], 2).contains("--features cuda"));
    for arguments in [&["tran"][..], &["train", "--no-such"], &[]] {
        assert_eq!(descent(folder.path(), arguments).status.code(), Some(2));
    }
    assert_eq!(names(folder.path()), ["c.toml", "mnist"]);
}

#[test]
fn a_folder_in_use_and_a_folder_without_permission_are_left_alone() {
    let folder = folder();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let before = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 2);
    assert!(error.contains("holds a run already"), "{error}");
    // A config of the user's own in the folder is not overwritten either.
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/config.toml"), CONFIG).unwrap();
    fail(folder.path(), &["train", "c.toml", "--out", "mine"], 2);
    assert_eq!(fs::read_to_string(folder.path().join("mine/config.toml")).unwrap(), CONFIG);
    assert_eq!(before, fs::read(folder.path().join("run/model.safetensors")).unwrap());
    // A file where a folder should be; root may write anywhere, so permissions alone would not stop a test.
    fs::write(folder.path().join("file"), "x").unwrap();
    let error = fail(folder.path(), &["train", "c.toml", "--out", "file/run"], 1);
    assert!(error.contains("cannot create file/run"), "{error}");
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(locked.join("probe"), "x").is_err() {
        fail(folder.path(), &["train", "c.toml", "--out", "locked/run"], 1);
    }
}

#[test]
fn weights_that_do_not_fit_are_all_listed() {
    fn train<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
        [&["train", "c.toml", "-q"], arguments].concat()
    }
    let folder = folder();
    succeed(folder.path(), &train(&["--out", "a"]));
    let wide = ["--init-from", "a/model.safetensors", "--set", "model.hidden=[9, 4]", "--out", "b"];
    let error = fail(folder.path(), &train(&wide), 1);
    for word in
        ["`layer1.weight` is [8, 784] in the file, [9, 784] in the model", "`layer3.bias`", "`layer2.weight`"]
    {
        assert!(error.contains(word), "{word}: {error}");
    }
    let error = fail(
        folder.path(),
        &train(&["--init-from", "a/model.safetensors", "--set", "model.hidden=[]", "--out", "b"]),
        1,
    );
    assert!(error.contains("`layer2.weight` is not in the model"), "{error}");
    fs::write(folder.path().join("w.pt"), b"PK\x03\x04").unwrap();
    assert!(fail(folder.path(), &train(&["--init-from", "w.pt", "--out", "b"]), 1).contains("save_file"));
    fs::write(folder.path().join("w.safetensors"), [0xff; 100]).unwrap();
    fail(folder.path(), &train(&["--init-from", "w.safetensors", "--out", "b"]), 1);
    fail(folder.path(), &train(&["--init-from", "none.safetensors", "--out", "b"]), 1);
    assert!(!folder.path().join("b").exists());
}

#[test]
fn a_run_that_diverges_names_step_and_lr_and_leaves_what_repeats_it() {
    let folder = folder();
    let error =
        fail(folder.path(), &["train", "c.toml", "-q", "--set", "optimizer.lr=1e30", "--out", "run"], 1);
    assert!(error.contains("at step ") && error.contains("lr 1e30"), "{error}");
    // Nothing was kept but the failure, which `descent replay` takes.
    assert!(error.contains("descent replay run/failure"), "{error}");
    assert!(!folder.path().join("run/model.safetensors").exists());
    assert!(folder.path().join("run/failure/batch.safetensors").exists());
}

#[test]
fn a_loss_for_numbers_on_classes_says_what_to_take() {
    let folder = folder();
    let error = fail(
        folder.path(),
        &["train", "c.toml", "--set", "data.name=waves", "--set", "data={ name = 'waves' }"],
        2,
    );
    assert!(error.contains("`mse`"), "{error}");
    let error = fail(
        folder.path(),
        &["train", "c.toml", "--set", "model={ name = 'rnn' }", "--set", "data.sequence=[28, 27]"],
        2,
    );
    assert!(error.contains("784"), "{error}");
    let error = fail(folder.path(), &["train", "c.toml", "--set", "loss.weight=[1.0, 2.0]"], 2);
    assert!(error.contains("10 classes"), "{error}");
}

#[test]
fn numbers_that_are_too_large_for_any_machine_are_refused() {
    let folder = folder();
    for rows in ["1000000000000000000", "9223372036854775807", "100000000000"] {
        let data = format!("data={{ name = 'waves', rows = {rows}, window = {rows} }}");
        fail(folder.path(), &["train", "c.toml", "--set", &data, "--set", "loss={ name = 'mse' }"], 2);
    }
}

#[test]
fn updates_that_overflow_the_weights_are_a_failure() {
    let folder = folder();
    let train = |lr: &str, out: &str| {
        let set = ["--set", "train.batch_size=full", "--set", lr, "--out", out];
        fail(folder.path(), &[&["train", "c.toml", "-q"], &set[..]].concat(), 1)
    };
    // One update of the whole batch: its own loss is finite, what it leaves is not.
    let error = train("optimizer.lr=1e39", "infinite");
    assert!(error.contains("no longer finite") && error.contains("optimizer.lr"), "{error}");
    assert!(!folder.path().join("infinite").exists());
    // Or finite, and too large to work with.
    let error = train("optimizer.lr=1e38", "huge");
    assert!(error.contains("in evaluation the loss is") && error.contains("optimizer.lr"), "{error}");
}

#[test]
fn names_never_steer_the_terminal() {
    let folder = folder();
    let set = "optimizer.\u{1b}[31mlr=1";
    for arguments in
        [&["train", "c.toml", "--set", set][..], &["train", "\u{1b}[2J.toml"], &["inspect", "\u{7}"]]
    {
        let output = descent(folder.path(), arguments);
        assert!(!output.status.success());
        let control = output.stderr.iter().find(|byte| byte.is_ascii_control() && **byte != b'\n');
        assert_eq!(control, None, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_closed_standard_error_stops_nothing() {
    let folder = folder();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(executable())
        .args(["train", "c.toml", "--out", "run"])
        .current_dir(folder.path())
        .stderr(full)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert!(folder.path().join("run/model.safetensors").exists());
}
