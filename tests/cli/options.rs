//! The options of losses, optimizers, schedules and the training loop, over targets of every kind.

use std::fs;
use std::path::Path;

use super::npz::{Array, write};
use crate::common::{descent, fail, succeed};

const CONFIG: &str = "[data]\nname = 'npz'\npath = 'classes.npz'\n[model]\nname = 'mlp'\nhidden = [8]\n\
                      [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\n\
                      [train]\nbatch_size = 8\nepochs = 2\n";

/// Forty rows of three features with classes, probabilities, labels and values as targets, and a config.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let wave = |i: i16, step: f32| (f32::from(i) * step).sin();
    let x = |name| Array::f32(name, &[40, 3], (0..120).map(|i| wave(i, 0.7)));
    let write = |file: &str, y: &dyn Fn(&'static str) -> Array| {
        let arrays = [x("x_train"), y("y_train"), x("x_test"), y("y_test")];
        write(&folder.path().join(file), false, &arrays);
    };
    write("classes.npz", &|name| Array::i64(name, &[40], (0..40).map(|i| i * i % 5 % 3)));
    let share = |i: i16| [wave(i, 0.3).abs() / 2.0, 0.25, 0.75 - wave(i, 0.3).abs() / 2.0];
    write("probabilities.npz", &|name| Array::f32(name, &[40, 3], (0..40).flat_map(share)));
    write("labels.npz", &|name| Array::f32(name, &[40, 2], (0..80_i16).map(|i| f32::from(i % 3 % 2))));
    write("values.npz", &|name| Array::f32(name, &[40, 2], (0..80).map(|i| wave(i, 0.2))));
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

fn arguments<'a>(sets: &[&'a str], out: &'a str) -> Vec<&'a str> {
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    ["train", "c.toml", "-q", "--out", out].into_iter().chain(sets).collect()
}

// layering: long because it is a table of cases.
#[test]
fn options_that_cannot_be_name_the_key_and_the_way_out() {
    let folder = folder();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["optimizer.groups=[{ match = 'foo*', lr = 0.1 }]"],
            &["groups[0].match", "`foo*`", "layer1.weight"],
        ),
        (&["optimizer.groups=[{ match = '*', frozen = true }]"], &["optimizer.groups", "frozen"]),
        (&["optimizer.groups=[{ match = '*.bias', lrr = 1 }]"], &["groups[0].lrr", "did you mean `lr`?"]),
        (&["optimizer.groups=[{ lr = 1.0 }]"], &["groups[0].match", "missing"]),
        (&["optimizer.groups={ match = '*' }"], &["[[optimizer.groups]]"]),
        (&["optimizer={ name = 'lbfgs', groups = [{ match = '*', lr = 1.0 }] }"], &["groups[0]", "frozen"]),
        (&["optimizer={ name = 'lbfgs', line_search_fn = 'wolfe' }"], &["line_search_fn", "`strong_wolfe`"]),
        (&["optimizer={ name = 'lbfgs', max_iter = 0 }"], &["optimizer.max_iter", "1 or more"]),
        (&["optimizer={ name = 'muon', adjust_lr_fn = 'x' }"], &["adjust_lr_fn", "`match_rms_adamw`"]),
        (&["optimizer={ name = 'adafactor', d = 0.5 }"], &["optimizer.d", "1 or more"]),
        (&["optimizer={ name = 'lamb', betas = [1.0, 0.9] }"], &["optimizer.betas[0]", "less than 1"]),
        (&["loss.class_weight='balance'"], &["loss.class_weight", "did you mean `balanced`?"]),
        (&["loss.class_weight='balanced'", "loss.weight=[1.0, 1.0, 1.0]"], &["class_weight", "choose one"]),
        (&["loss.reduction='none'"], &["loss.reduction", "`mean`, `sum`"]),
        (&["loss={ name = 'focal', gamma = -1.0 }"], &["loss.gamma", "0 or more"]),
        (&["data.path='values.npz'"], &["cross_entropy", "`mse`"]),
        (&["data.path='values.npz'", "loss={ name = 'bce_with_logits' }"], &["between 0 and 1"]),
        (
            &["data.path='labels.npz'", "loss={ name = 'bce_with_logits', pos_weight = [1.0] }"],
            &["pos_weight"],
        ),
        (&["data.path='labels.npz'", "loss={ name = 'hinge_embedding' }"], &["1 and -1"]),
        (
            &["data.path='values.npz'", "loss={ name = 'huber', delta = 0.0 }"],
            &["loss.delta", "greater than 0"],
        ),
        (&["data.path='values.npz'", "loss={ name = 'kl_div' }"], &["probabilities", "log_target"]),
        (&["schedule={ name = 'reduce_on_plateau', interval = 'step' }"], &["schedule.interval"]),
        (&["schedule={ name = 'reduce_on_plateau', factor = 1.0 }"], &["schedule.factor", "less than 1"]),
        (&["schedule={ name = 'reduce_on_plateau', monitor = 'val_loss' }"], &["monitor", "data.validation"]),
        (&["train.average={ name = 'ema', decay = 1.5 }"], &["train.average.decay", "between 0 and 1"]),
        (&["train.average={ name = 'swb' }"], &["`train.average.name`", "did you mean `swa`?"]),
        (&["train.average='ema'"], &["train.average", "expected a table"]),
        (&["train.average={ name = 'swa', start_epoch = 0 }"], &["start_epoch", "from 1"]),
        (&["train.average={ name = 'swa', start_epoch = 3 }"], &["train.average.start_epoch", "2 epochs"]),
        (&["train.max_time=-1.0"], &["train.max_time", "seconds"]),
        (&["train.dtype='f16'"], &["train.dtype", "`bf16`"]),
        (&["model.layer_norm=true", "model.batch_norm=true"], &["model.layer_norm", "choose one"]),
        (&["model={ name = 'lstm', head = 'first' }", "data.sequence=[1, 3]"], &["model.head", "`mean`"]),
        (&["model={ name = 'gru', hidden_size = 0 }", "data.sequence=[1, 3]"], &["model.hidden_size"]),
        (&["model={ name = 'gru' }"], &["data.sequence", "[T, F]"]),
    ];
    for (sets, words) in cases {
        let error = fail(folder.path(), &arguments(sets, "run"), 2);
        for word in *words {
            assert!(error.contains(word), "{sets:?}: no `{word}` in: {error}");
        }
        assert!(!folder.path().join("run").exists(), "{sets:?}");
    }
}

/// Trains, and trains the run's own config once more: that must give the same bits.
fn twice(folder: &Path, sets: &[&str], out: &str) -> String {
    let stdout = succeed(folder, &arguments(sets, out));
    let (config, again) = (format!("{out}/config.toml"), format!("{out}-again"));
    succeed(folder, &["train", &config, "-q", "--out", &again]);
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert_eq!(model(out), model(&again), "{sets:?}");
    stdout
}

#[test]
fn every_kind_of_target_trains_and_repeats_from_its_own_config() {
    let folder = folder();
    let cases: &[(&[&str], &str)] = &[
        (&["data.path='probabilities.npz'", "loss.label_smoothing=0.1"], "test_accuracy"),
        (&["data.path='probabilities.npz'", "loss={ name = 'kl_div', reduction = 'batchmean' }"], "test_mse"),
        (&["loss={ name = 'nll', class_weight = 'balanced' }"], "test_log_loss"),
        (&["loss={ name = 'focal', gamma = 1.5 }"], "test_roc_auc"),
        (
            &["data.path='labels.npz'", "loss={ name = 'bce_with_logits', pos_weight = [2.0, 0.5] }"],
            "test_f1",
        ),
        (&["data.path='values.npz'", "loss={ name = 'gaussian_nll', full = true }"], "test_r2"),
        (
            &["data.path='values.npz'", "loss={ name = 'smooth_l1', beta = 0.5, reduction = 'sum' }"],
            "test_mae",
        ),
        (
            &["optimizer={ name = 'lbfgs', line_search_fn = 'strong_wolfe' }", "train.batch_size='full'"],
            "test_",
        ),
        (&["optimizer={ name = 'muon', lr = 0.01 }", "train.dtype='f64'"], "test_calibration_error"),
        (&["train.dtype='bf16'", "train.clip_grad_norm=1.0"], "test_loss"),
        (&["model={ name = 'lstm', num_layers = 2, dropout = 0.3 }", "data.sequence=[3, 1]"], "test_loss"),
        (
            &["model={ name = 'gru', bidirectional = true, head = 'mean' }", "data.sequence=[3, 1]"],
            "test_loss",
        ),
    ];
    for (index, (sets, word)) in cases.iter().enumerate() {
        let stdout = twice(folder.path(), sets, &format!("run-{index}"));
        assert!(stdout.contains(word), "{sets:?}: no `{word}` in {stdout}");
    }
}

#[test]
fn groups_and_averages_repeat_from_their_own_config() {
    let folder = folder();
    let groups = "optimizer.groups=[{ match = '*.bias', lr = 0.5 }, { match = 'layer1.*', frozen = true }]";
    let average = "train.average={ name = 'ema', decay = 0.9 }";
    let start = ["--init-from", "start/model.safetensors"];
    succeed(folder.path(), &arguments(&[], "start"));
    let plateau = "schedule={ name = 'reduce_on_plateau', patience = 0, monitor = 'train_loss' }";
    twice(folder.path(), &[groups, average, plateau], "grouped");
    let grouped = [arguments(&[groups], "on"), start.to_vec()].concat();
    succeed(folder.path(), &grouped);
    let tensors =
        |run: &str| descent::checkpoint::load(&folder.path().join(run).join("model.safetensors")).unwrap();
    let same = |name: &str| {
        let values = |run| tensors(run)[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values("start") == values("on")
    };
    assert!(same("layer1.weight"), "frozen");
    // Its own group comes first.
    assert!(!same("layer1.bias") && !same("layer2.weight"));
    let checkpoint = folder.path().join("grouped/checkpoints/step-00000010/average.safetensors");
    assert!(descent::checkpoint::load(&checkpoint).unwrap().contains_key("module.layer1.weight"));
}

#[test]
fn a_limit_of_time_ends_a_run_well() {
    let folder = folder();
    let stdout = succeed(folder.path(), &arguments(&["train.max_time=0.2", "train.epochs=100000000"], "run"));
    assert!(stdout.contains("test_loss"), "{stdout}");
    assert!(folder.path().join("run/model.safetensors").exists());
}

#[test]
fn evaluation_tells_of_every_class_and_of_the_k_best() {
    let folder = folder();
    succeed(folder.path(), &arguments(&[], "run"));
    let stdout = succeed(folder.path(), &["eval", "run", "--top-k", "3"]);
    for word in ["precision", "recall", "f1", "top3_accuracy", "1.0"] {
        assert!(stdout.contains(word), "no `{word}` in {stdout}");
    }
    succeed(folder.path(), &arguments(&["data.path='values.npz'", "loss={ name = 'mse' }"], "values"));
    let error = fail(folder.path(), &["eval", "values", "--top-k", "2"], 2);
    assert!(error.contains("classes"), "{error}");
    assert_eq!(descent(folder.path(), &["eval", "run", "--top-k", "0"]).status.code(), Some(2));
}

#[test]
fn the_loss_at_the_end_of_a_full_batch_is_the_one_before_the_next() {
    let folder = folder();
    let sets = ["train.batch_size='full'", "train.measure_train=true", "train.dtype='f64'"];
    succeed(folder.path(), &arguments(&sets, "run"));
    let text = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let epochs: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number = |epoch: usize, name: &str| epochs[epoch][name].as_f64().unwrap();
    assert!((number(0, "train_end_loss") - number(1, "train_loss")).abs() < 1e-12, "{text}");
    assert!(number(0, "train_end_loss") < number(0, "train_loss"), "{text}");
    assert!(number(1, "train_end_accuracy") > 0.0, "{text}");
}

#[test]
fn null_removes_a_key() {
    let folder = folder();
    let train = |out: &str, more: &[&str]| {
        let set = ["data.validation=0.3", "train.epochs=8", "optimizer.lr=3.0"];
        let stop = ["train.early_stopping={ patience = 1 }"];
        succeed(folder.path(), &arguments(&[&set[..], &stop, more].concat(), out))
    };
    let epochs = |out: &str| {
        let log = fs::read_to_string(folder.path().join(out).join("metrics.jsonl")).unwrap();
        log.lines().filter(|line| line.contains("\"kind\":\"epoch\"")).count()
    };
    train("stopped", &[]);
    assert!(epochs("stopped") < 8);
    train("whole", &["train.early_stopping=null"]);
    assert_eq!(epochs("whole"), 8);
    let own = fs::read_to_string(folder.path().join("whole/config.toml")).unwrap();
    assert!(!own.contains("early_stopping"), "{own}");
    // Of a run that goes on, and of any key.
    let resume = ["train", "--resume", "stopped", "-q", "--set", "train.early_stopping=null"];
    succeed(folder.path(), &resume);
    assert_eq!(epochs("stopped"), 8);
    // Again, as after an interruption: the key is gone by now.
    succeed(folder.path(), &resume);
    train("default", &["optimizer.lr=null"]);
    let own: toml::Table =
        fs::read_to_string(folder.path().join("default/config.toml")).unwrap().parse().unwrap();
    assert_eq!(own["optimizer"]["lr"].as_float(), Some(0.001));
    for (set, words) in [
        ("train.early_stoping=null", "c.toml: `train.early_stoping` is an unknown key"),
        ("data.limit=null", "the config does not set this one"),
        ("optimizer.name=null", "optimizer"),
        ("train.early_stopping=false", "`--set KEY=null`"),
    ] {
        let error = fail(folder.path(), &arguments(&["train.early_stopping={}", set], "wrong"), 2);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn null_for_a_key_that_no_config_has_is_an_error_in_every_command_of_a_run() {
    let folder = folder();
    let set = ["data.validation=0.3", "train.early_stopping={}"];
    succeed(folder.path(), &arguments(&set, "stopped"));
    for command in [
        &["train", "--resume", "stopped"][..],
        &["eval", "stopped"],
        &["verify", "stopped", "--against", "torch"],
    ] {
        for (set, words) in [
            ("train.early_stoping=null", ["unknown key", "did you mean `early_stopping`?"]),
            ("train.early_stoping.patience=null", ["unknown key", "did you mean `early_stopping`?"]),
            ("optimiser.lr=null", ["unknown key", "optimizer"]),
            ("data.validaton=null", ["unknown key", "did you mean `validation`?"]),
            ("seed.x=null", ["--set seed.x=null", "has no keys"]),
        ] {
            let error = fail(folder.path(), &[command, &["--set", set]].concat(), 2);
            assert!(words.iter().all(|word| error.contains(word)), "{command:?}: {error}");
            assert!(!error.contains("remove it"), "{error}");
        }
    }
    for absent in ["data.limit=null", "train.average.decay=null", "schedule=null"] {
        succeed(folder.path(), &["eval", "stopped", "--set", absent]);
    }
}
