//! `descent verify`: the script, its data, and what is refused. What PyTorch makes of the script, `scripts/check-verify.py`
//! shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::tables::{config, lines, write};
use crate::common::{descent, fail, succeed};

/// A run of a few updates on three numbers; `model`, `optimizer` and `train` are further lines of the sections.
fn trained(folder: &Path, model: &str, optimizer: &str, train: &str) {
    let rows =
        lines("a,b,c,class", 60, |i| format!("{},{},{},{}", i % 7, i * i % 11, i % 5, ["x", "y"][i % 2]));
    let path = write(folder, "t.csv", rows);
    let text = config("csv", &path, "class", "", "cross_entropy");
    let text = text.replace("hidden = [16]", &format!("hidden = [6]\n{model}"));
    let text = text.replace("name = \"adam\"\nlr = 0.01", optimizer) + train;
    write(folder, "c.toml", text);
    let output = descent(folder, &["train", "c.toml", "-q", "--out", "run", "--set", "train.max_steps=2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const ADAM: &str = "name = 'adam'\nlr = 0.01";

/// A program that stands in for Python: it can import all, and runs a script by these lines of shell.
fn python(folder: &Path, lines: &str) -> String {
    let text = format!("#!/bin/sh\nif [ \"$1\" = -c ]; then exit 0; fi\n{lines}\n");
    let path = write(folder, "python", text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn verify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["verify", "run", "--against", "torch"], more].concat()
}

/// The names of the arrays in an `.npz` file.
fn arrays(path: &Path) -> Vec<String> {
    let archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    archive.file_names().map(|name| name.unwrap().trim_end_matches(".npy").to_owned()).collect()
}

#[test]
fn a_run_is_a_script_with_its_rows_and_the_weights_after_each_update() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let schedule =
        "clip_grad_norm = 0.5\n[schedule]\nname = 'cosine_annealing'\nwarmup_steps = 3\ninterval = 'step'\n";
    trained(path, "batch_norm = true\ndropout = 0.25", ADAM, schedule);
    let python = python(path, "echo compared; exit 0");
    let set = ["--set", "train.max_steps=6", "--steps", "6", "--output", "out", "--python", &python];
    assert_eq!(succeed(path, &verify(&set)), "compared\n");
    let source = fs::read_to_string(path.join("out/verify.py")).unwrap();
    for line in [
        "torch.set_default_dtype(torch.float64)\nTOLERANCE = 1e-7\n",
        "STEPS = 6\nEPOCH_ENDS = {4: None}",
        "DROPOUT = [0.25]\nBATCH_SIZE = 16\n",
        "CLIP_GRAD_NORM = 0.5\n",
        "WARMUP_STEPS = 3\n",
        "        self.bn1 = nn.BatchNorm1d(6, eps=1e-5, momentum=0.1)\n",
        "    return torch.optim.Adam(model.parameters(), lr=0.01,",
        "    return nn.CrossEntropyLoss(",
        "lr_scheduler.CosineAnnealingLR(opt, T_max=6,",
    ] {
        assert!(source.contains(line), "{line}: {source}");
    }
    let names = arrays(&path.join("out/verify.npz"));
    for name in ["x", "y", "0/layer1.weight", "1/rows", "1/kept/0", "1/loss", "6/bn1.num_batches_tracked"] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("7/")));
    // The folder is not written over, and the run's own is gone once it was compared.
    let error = fail(path, &verify(&set), 2);
    assert!(error.contains("not empty"), "{error}");
    succeed(path, &verify(&["--python", &python]));
    assert!(!path.join("run/verify").exists());
    succeed(path, &["eval", "run", "--input", "t.csv"]);
}

#[test]
fn the_exit_code_says_whether_it_differs_and_whether_anything_was_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    trained(path, "", ADAM, "");
    let differs = python(path, "echo step 3 differs; exit 1");
    let output = descent(path, &verify(&["--python", &differs]));
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b"step 3 differs\n"[..]));
    let breaks = python(path, "echo 'ValueError: no' >&2; exit 3");
    let error = fail(path, &verify(&["--python", &breaks]), 1);
    assert!(error.contains("run/verify/verify.py") && error.contains("ValueError: no"), "{error}");
    let none = path.join("none");
    let none = ["--python", none.to_str().unwrap()];
    let error = fail(path, &verify(&none), 2);
    assert!(
        error.contains("nothing was compared") && error.contains("python3 run/verify/verify.py"),
        "{error}"
    );
    assert!(path.join("run/verify/verify.npz").is_file());
    // Again over its own files, but over no others.
    fail(path, &verify(&none), 2);
    fs::write(path.join("run/verify/notes"), "mine").unwrap();
    let error = fail(path, &verify(&none), 2);
    assert!(error.contains("run/verify/notes"), "{error}");
    assert_eq!(fs::read_to_string(path.join("run/verify/notes")).unwrap(), "mine");
    let error = fail(path, &verify(&["--output", "run/model.safetensors"]), 2);
    assert!(error.contains("a file of a run"), "{error}");
    fail(path, &["verify", "none", "--against", "torch"], 1);
}

#[test]
fn what_torch_does_not_have_is_a_sentence_and_leaves_nothing() {
    for (model, optimizer, words) in [
        ("", "name = 'lion'\nlr = 0.001", &["`optimizer`", "torch has no lion", "--set 'optimizer="][..]),
        ("", "name = 'lamb'\nlr = 0.001", &["torch has no lamb"]),
        (
            "",
            "name = 'adam'\nlr = 0.01\ngroups = [{ match = '*.bias', name = 'sgd', lr = 0.1 }]",
            &["groups of other optimizers", "--set 'optimizer.groups=[]'"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        trained(folder.path(), model, optimizer, "");
        let error = fail(folder.path(), &verify(&["--output", "out"]), 2);
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!folder.path().join("out").exists() && !folder.path().join("run/verify").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path(), "", ADAM, "");
    let focal = ["--set", "loss={ name = 'focal' }"];
    let error = fail(folder.path(), &verify(&focal), 2);
    assert!(error.contains("loss `focal`") && error.contains("cross_entropy"), "{error}");
}

#[test]
fn weights_and_averages_are_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,w,y", 60, |i| format!("{i},{}.5,{}", 1 + i % 3, ["a", "b"][i * 7 % 13 % 2]));
    let path = write(folder.path(), "t.csv", rows);
    let text = format!(
        "[data]\nname = 'csv'\npath = '{}'\ntarget = 'y'\nweight = 'w'\n[model]\nname = 'mlp'\nhidden = [4]\n[loss]\n\
         name = 'cross_entropy'\n[optimizer]\n{ADAM}\n[train]\nmax_steps = 2\n",
        path.display()
    );
    write(folder.path(), "c.toml", text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let python = python(folder.path(), "exit 0");
    let error = fail(folder.path(), &verify(&["--python", &python]), 2);
    let ways = ["--set data.weight=null", "--set 'data.columns.w=\"ignore\"'"];
    assert!(ways.iter().all(|way| error.contains(way)), "{error}");
    let sets = ["--set", "data.weight=null", "--set", "data.columns.w=\"ignore\""];
    succeed(folder.path(), &verify(&[&["--python", python.as_str()], &sets[..]].concat()));
    succeed(
        folder.path(),
        &["train", "c.toml", "-q", "--bag", "2", "--out", "bag", "--set", "data.weight=null"],
    );
    let error = fail(folder.path(), &["verify", "bag", "--against", "torch"], 2);
    assert!(error.contains("descent verify bag/folds/1 --against torch"), "{error}");
    succeed(folder.path(), &["verify", "bag/folds/1", "--against", "torch", "--python", &python]);
}

#[test]
fn dropout_between_recurrent_layers_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("t,v", 60, |i| format!("{i},{}", i * 7 % 13));
    let path = write(folder.path(), "t.csv", rows);
    let text = format!(
        "[data]\nname = 'timeseries'\npath = '{}'\ntarget = 'v'\nwindow = 4\n[model]\nname = 'gru'\nhidden_size = 3\n\
         num_layers = 2\ndropout = 0.5\n[loss]\nname = 'mse'\n[optimizer]\n{ADAM}\n[train]\nmax_steps = 2\n",
        path.display()
    );
    write(folder.path(), "c.toml", text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let python = python(folder.path(), "exit 0");
    let error = fail(folder.path(), &verify(&["--python", &python]), 2);
    assert!(error.contains("`model.dropout` is 0.5") && error.contains("--set model.dropout=0.0"), "{error}");
    succeed(folder.path(), &verify(&["--python", &python, "--set", "model.dropout=0.0"]));
}
