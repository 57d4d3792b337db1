//! Runs that end well.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device};
use descent::checkpoint;
use descent::config::Config;
use descent::data::Sources;
use descent::loss::Losses;
use descent::model::{Model, Network, NetworkOptions};
use descent::nn::Init;
use descent::optim::Rule;
use descent::optim::schedule::Schedules;
use descent::trainer::Averages;

use crate::common::{descent, normal, relative_difference, repository, succeed};

fn lines(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn model(run: &Path) -> Vec<u8> {
    fs::read(run.join("model.safetensors")).unwrap()
}

#[test]
fn the_quick_start_needs_nothing_and_reaches_ninety_percent() {
    let folder = tempfile::tempdir().unwrap();
    let output = descent(folder.path(), &["train", "--set", "train.checkpoint_every=epoch"]);
    assert!(output.status.success());
    let run = fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains(&format!("runs/{}", run.file_name().unwrap().to_string_lossy())), "{stdout}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr.lines().filter(|line| line.starts_with("epoch ")).count(),
        10,
        "a line an epoch: {stderr}"
    );
    let lines = lines(&run);
    assert_eq!(lines.len(), 11);
    for key in ["kind", "epoch", "step", "train_loss", "val_loss", "val_accuracy", "lr", "seconds", "samples"]
    {
        assert!(lines[0].get(key).is_some(), "{key} is missing in {}", lines[0]);
    }
    assert_eq!(lines[10]["kind"], "final");
    assert!(lines[10]["test_accuracy"].as_f64().unwrap() >= 0.9, "{}", lines[10]);
    let newest = run.join(format!("checkpoints/step-{:08}", lines[10]["step"].as_u64().unwrap()));
    for file in ["model.safetensors", "optimizer.safetensors", "progress.toml"] {
        assert!(newest.join(file).exists(), "{file}");
    }
    assert_eq!(fs::read_dir(run.join("checkpoints")).unwrap().count(), 3, "keep_last");
}

#[test]
fn a_run_repeats_to_the_bit_from_its_own_config_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = |config: &[&str], out: &str, more: &[&str]| {
        let quick = [
            "--set",
            "train.epochs=1",
            "--set",
            "data.limit=600",
            "--set",
            "model.dropout=0.2",
            "-q",
            "--out",
            out,
        ];
        succeed(folder.path(), &[&["train"], config, &quick[..], more].concat());
        model(&folder.path().join(out))
    };
    let first = run(&[], "a", &[]);
    assert_eq!(first, run(&["a/config.toml"], "b", &[]));
    assert_eq!(first, run(&[], "c", &["--threads", "1"]));
    assert_ne!(first, run(&[], "e", &["--set", "seed=2"]));
}

#[test]
fn threads_do_not_change_a_bit() {
    let folder = tempfile::tempdir().unwrap();
    // Wide enough for every kernel to be cut in pieces.
    let mlp = "name = 'mlp'\nhidden = [300, 270]\n";
    let systems = [
        (mlp.to_owned() + "activation = 'tanh'", "name = 'adam'", "clip_grad_norm = 0.5"),
        (mlp.to_owned() + "layer_norm = true", "name = 'sgd'\nlr = 0.1", "batch_size = 7"),
        (mlp.to_owned() + "batch_norm = true\ndropout = 0.3", "name = 'rmsprop'", "batch_size = 200"),
        (mlp.to_owned(), "name = 'sgd'\nlr = 0.1", "batch_size = 1"),
        (mlp.to_owned(), "name = 'sgd'\nlr = 0.1", "batch_size = 'full'"),
        // A layer whose weight's transpose is packed in strips.
        ("name = 'mlp'\nhidden = [512, 80]".to_owned(), "name = 'adam'", "batch_size = 'full'"),
        (
            "name = 'rnn'\nhidden_size = 140\nbidirectional = true".to_owned(),
            "name = 'adam'",
            "batch_size = 50",
        ),
        ("name = 'lstm'\nhidden_size = 70".to_owned(), "name = 'adamw'", "batch_size = 37"),
        ("name = 'gru'\nhidden_size = 70\nnum_layers = 2".to_owned(), "name = 'adam'", "batch_size = 40"),
        (mlp.to_owned() + "batch_norm = true", "name = 'adam'", "batch_size = 200\nshards = 8"),
        (mlp.to_owned() + "dropout = 0.3", "name = 'sgd'\nlr = 0.1", "batch_size = 'full'\nshards = 2"),
    ];
    for (index, (model_section, optimizer, train)) in systems.iter().enumerate() {
        let sequence = if model_section.contains("mlp") { "" } else { "sequence = [28, 28]" };
        let config = format!(
            "[data]\nname = 'mnist-sample'\nlimit = 600\n{sequence}\n[model]\n{model_section}\n[loss]\n\
             name = 'cross_entropy'\n[optimizer]\n{optimizer}\n[train]\nmax_steps = 20\n{train}\n\
             checkpoint_every = 'never'\n"
        );
        fs::write(folder.path().join("c.toml"), config).unwrap();
        let weights = ["1", "2", "3"].map(|threads| {
            let out = format!("{index}-{threads}");
            succeed(folder.path(), &["train", "c.toml", "-q", "--out", &out, "--threads", threads]);
            model(&folder.path().join(out))
        });
        assert!(weights.iter().all(|bytes| *bytes == weights[0]), "{model_section} {optimizer} {train}");
    }
}

#[test]
fn quiet_is_quiet_and_results_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        descent(folder.path(), &["-q", "train", "--set", "train.epochs=1", "--set", "data.limit=200"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with("run ") && stdout.contains("test_accuracy"), "{stdout}");
}

#[test]
fn a_dry_run_shows_config_and_model_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = succeed(
        folder.path(),
        &["train", "--dry-run", "--set", "model.batch_norm=true", "--set", "optimizer.lr=0.5"],
    );
    for part in ["lr = 0.5", "[model]", "bn1.running_mean", "layer2.weight", "parameters"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_best_weights_are_kept_and_patience_ends_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let stop = "train.early_stopping={ patience = 2 }";
    // A learning rate at which the validation loss soon gets worse.
    let set =
        ["--set", stop, "--set", "train.epochs=40", "--set", "optimizer.lr=0.02", "--set", "data.limit=500"];
    succeed(folder.path(), &[&["train", "-q", "--out", "run"], &set[..]].concat());
    let run = folder.path().join("run");
    let lines = lines(&run);
    let last = lines.last().unwrap();
    let (epoch, best) = (last["epoch"].as_u64().unwrap(), last["best_epoch"].as_u64().unwrap());
    assert!(epoch < 40 && epoch == best + 2, "{last}");
    let loss = |epoch: u64| lines[usize::try_from(epoch).unwrap() - 1]["val_loss"].as_f64().unwrap();
    assert!((1..=epoch).all(|other| loss(other) >= loss(best)));
    let test_loss = last["test_loss"].as_f64().unwrap();
    let evaluated = succeed(folder.path(), &["eval", "run"]);
    assert!(evaluated.starts_with(&format!("test_loss {test_loss:.6}")), "{evaluated} {test_loss}");
}

#[test]
fn weights_start_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let train = |out: &str, more: &[&str]| {
        let base = ["train", "-q", "--out", out, "--set", "data.limit=300", "--set", "train.epochs=1"];
        succeed(folder.path(), &[&base[..], more].concat());
    };
    train("a", &[]);
    // With a learning rate of 0 the weights stay what they were.
    train("b", &["--init-from", "a/model.safetensors", "--set", "optimizer.lr=0.0", "--set", "seed=9"]);
    assert_eq!(model(&folder.path().join("a")), model(&folder.path().join("b")));
}

#[test]
fn candle_loads_what_was_trained() {
    use candle_nn::Module as _;

    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        &["train", "-q", "--out", "run", "--set", "data.limit=200", "--set", "train.max_steps=2"],
    );
    let bytes = model(&folder.path().join("run"));
    let vb = candle_nn::VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).unwrap();
    let layers = [candle_nn::linear(784, 256, vb.pp("layer1")), candle_nn::linear(256, 10, vb.pp("layer2"))];
    let [first, second] = layers.map(Result::unwrap);
    let xs = normal(1, (3, 784)).to_dtype(DType::F32).unwrap();
    let theirs = second.forward(&first.forward(&xs).unwrap().relu().unwrap()).unwrap();
    let config = Config::read(folder.path().join("run/config.toml"), &[]).unwrap();
    let network =
        Network::new(&config.model, &[784], 10, 0, NetworkOptions::new(DType::F32, &Device::Cpu)).unwrap();
    network.params().load(&checkpoint::load(&folder.path().join("run/model.safetensors")).unwrap()).unwrap();
    assert!(relative_difference(&network.forward(&xs).unwrap(), &theirs) < 1e-5);
}

#[test]
fn inspect_shows_runs_checkpoints_and_files() {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        &["train", "-q", "--out", "run", "--set", "data.limit=200", "--set", "train.max_steps=2"],
    );
    for path in ["run", "run/model.safetensors", "run/checkpoints/step-00000002"] {
        let table = succeed(folder.path(), &["inspect", path]);
        assert!(
            table.contains("layer1.weight  [256, 784]  F32") && table.contains("203,530 parameters"),
            "{table}"
        );
        assert!(table.contains("format = pt"), "{table}");
    }
    let state =
        checkpoint::load(&folder.path().join("run/checkpoints/step-00000002/optimizer.safetensors")).unwrap();
    for name in
        ["layer1.weight.exp_avg", "layer1.weight.exp_avg_sq", "layer1.weight.step", "layer2.bias.exp_avg"]
    {
        assert!(state.contains_key(name), "{name}");
    }
    assert!((state["layer1.weight.step"].to_scalar::<f32>().unwrap() - 2.0).abs() < 1e-6);
}

#[test]
fn list_names_what_a_config_can_name() {
    let list = succeed(&repository("."), &["list"]);
    for lengths in [
        "end_factor = 1.0, total_iters = 5 (where end_factor is 0: the steps of the run)",
        "total_iters = the steps of the run, power = 1.0",
        "step_size_down = step_size_up",
    ] {
        assert!(list.contains(lengths), "{list}");
    }
    for name in [
        Rule::NAMES,
        Losses::NAMES,
        Model::NAMES,
        Init::NAMES,
        Schedules::NAMES,
        Averages::NAMES,
        Sources::NAMES,
    ]
    .concat()
    {
        assert!(list.contains(&format!("  {name} ")) || list.contains(&format!("  {name}\n")), "{name}");
    }
    assert!(list.contains("betas = [0.9, 0.999]") && list.contains("eps = 1e-8"), "{list}");
}

#[test]
fn checkpoints_come_every_so_many_steps_or_never() {
    let folder = tempfile::tempdir().unwrap();
    let train = |out: &str, every: &str| {
        let every = format!("train.checkpoint_every={every}");
        let set = [
            "--set",
            &every,
            "--set",
            "train.keep_last=10",
            "--set",
            "data.limit=640",
            "--set",
            "train.epochs=2",
        ];
        succeed(
            folder.path(),
            &[&["train", "-q", "--out", out, "--set", "data.validation=0.0"], &set[..]].concat(),
        );
        let entries = fs::read_dir(folder.path().join(out).join("checkpoints"));
        let mut names: Vec<_> =
            entries.into_iter().flatten().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(train("steps", "8"), ["step-00000008", "step-00000016", "step-00000020"]);
    assert!(train("never", "'never'").is_empty());
}
