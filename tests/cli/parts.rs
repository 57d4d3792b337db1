//! The parts of an MLP on tables: scales, parametric activations, the NTK parametrisation, embeddings of numerical features
//! and ensembles, from the config to predictions, resumed runs and exports.

use std::fs;
use std::path::Path;

use super::tables::{config, fail_config, lines, metric, write};
use crate::common::{descent, fail, succeed};

/// A section of a model, and what goes behind its hidden layers.
const PARTS: [(&str, &str); 6] = [
    ("scale", "front_scale = true\nparametric_activation = true\nactivation = 'mish'"),
    ("ntk", "parametrization = 'ntk'\nactivation = 'selu'\ndropout = 0.1"),
    ("plr", "[model.numerical]\nname = 'periodic'\nn_frequencies = 4\nd_embedding = 3"),
    ("pbld", "front_scale = true\n[model.numerical]\nname = 'periodic'\nvariant = 'pbld'"),
    ("bins", "[model.numerical]\nname = 'piecewise_linear'\nn_bins = 6\nd_embedding = 3"),
    ("members", "ensemble = 4\ndropout = 0.1\n[model.numerical]\nname = 'piecewise_linear'\nn_bins = 6"),
];

/// A table of numbers, a name, a yes or no and missing cells; the target is a number or a name.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn table(folder: &Path) -> std::path::PathBuf {
    let rows = lines("x,z,colour,flag,value,class", 90, |i| {
        let x = (i * 37 % 90) as f64 / 9.0;
        let z = if i % 11 == 3 { String::new() } else { format!("{}", i % 6) };
        let (colour, flag) = (["red", "green", "blue"][i % 3], ["yes", "no"][i / 7 % 2]);
        let class = if x.sin() > 0.0 { "a" } else { "b" };
        format!("{x},{z},{colour},{flag},{},{class}", 100.0 * x.sin() + (i % 3) as f64)
    });
    write(folder, "t.csv", rows)
}

fn of(folder: &Path, target: &str, model: &str, loss: &str) -> String {
    let data = "normalize = 'robust_smooth'\nmissing = 'category'\nvalidation = 0.2\ntest = 0.2";
    let text = config("csv", &folder.join("t.csv"), target, data, loss);
    text.replace("hidden = [16]", &format!("hidden = [16]\n{model}"))
}

#[test]
fn every_part_trains_predicts_and_scores() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    for (name, model) in PARTS {
        for (target, loss) in [("value", "mse"), ("class", "cross_entropy")] {
            let run = format!("{name}-{loss}");
            write(folder, "c.toml", of(folder, target, model, loss).replace("epochs = 3", "epochs = 2"));
            succeed(folder, &["train", "c.toml", "-q", "--out", &run]);
            let scored = succeed(folder, &["eval", &run]);
            assert!(metric(&scored, "test_loss").is_finite());
            let predicted = succeed(folder, &["predict", &run, "--input", "t.csv"]);
            assert_eq!(predicted.lines().count(), 91);
            if loss == "cross_entropy" {
                for line in predicted.lines().skip(1) {
                    let cells: Vec<&str> = line.split(',').collect();
                    let sum: f64 = cells[1..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{run}: {line}");
                }
            }
        }
        succeed(folder, &["report", &format!("{name}-mse"), "--output", "r.html"]);
        succeed(folder, &["inspect", &format!("{name}-mse")]);
    }
}

#[test]
fn a_resumed_run_has_the_bits_of_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    for (name, model) in PARTS {
        write(folder, "c.toml", of(folder, "value", model, "mse"));
        let [whole, half] = ["whole", "half"].map(|part| format!("{name}-{part}"));
        succeed(folder, &["train", "c.toml", "-q", "--out", &whole]);
        succeed(folder, &["train", "c.toml", "-q", "--out", &half, "--set", "train.epochs=1"]);
        succeed(folder, &["train", "-q", "--resume", &half, "--set", "train.epochs=3"]);
        let weights = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
        assert!(weights(&whole) == weights(&half), "{name}");
    }
}

#[test]
fn exports_have_the_parts_or_refuse_them_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    for (name, model) in PARTS {
        write(
            folder,
            "c.toml",
            of(folder, "class", model, "cross_entropy").replace("epochs = 3", "epochs = 1"),
        );
        succeed(folder, &["train", "c.toml", "-q", "--out", name]);
        for to in ["onnx", "torch", "hub"] {
            succeed(folder, &["export", name, "--to", to]);
        }
        match name {
            "scale" | "ntk" | "bins" => {
                succeed(folder, &["export", name, "--to", "c"]);
            }
            _ => {
                let error = fail(folder, &["export", name, "--to", "c"], 2);
                assert!(
                    error.contains("model.numerical.name = \"periodic\"") || error.contains("model.ensemble"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn the_bins_of_windows_with_learnt_vectors_are_those_of_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Two numbers of other sizes, and names that become vectors of length 2.
    let rows =
        lines("time,v,w,tag", 300, |i| format!("{i},{},{},t{}", i * 37 % 113, 1000 + i * 7 % 31, i % 2));
    write(folder, "s.csv", rows);
    let config = |window: usize| {
        format!(
            "[data]\nname = 'timeseries'\npath = 's.csv'\ntarget = 'v'\ntime = 'time'\nwindow = {window}\n\
             columns = {{ tag = 'embedding' }}\ntest = 0.2\nvalidation = 0.2\nnormalize = 'standard'\n\
             [model]\nname = 'mlp'\nhidden = [4]\nnumerical = {{ name = 'piecewise_linear', n_bins = 4 }}\n\
             [loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 1\n"
        )
    };
    for window in [2, 10] {
        write(folder, "c.toml", config(window));
        let run = format!("run{window}");
        succeed(folder, &["train", "c.toml", "-q", "--out", &run]);
        let state = candle_core::safetensors::load(
            folder.join(run).join("model.safetensors"),
            &candle_core::Device::Cpu,
        );
        let slopes = state.unwrap()["numerical.impl.weight"].to_vec2::<f32>().unwrap();
        assert_eq!(slopes.len(), 2 * window);
        // Each column has nearly the same quantiles at every step.
        for step in 1..window {
            for (own, first) in
                slopes[2 * step].iter().chain(&slopes[2 * step + 1]).zip(slopes[0].iter().chain(&slopes[1]))
            {
                assert!((own / first - 1.0).abs() < 0.2, "{window}: {slopes:?}");
            }
        }
    }
}

#[test]
fn bins_that_cannot_be_learnt_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    for (run, more, is_warned) in
        [("b", "activation = true", true), ("a", "activation = true\nversion = 'A'", false)]
    {
        let model = format!("[model.numerical]\nname = 'piecewise_linear'\n{more}");
        write(folder, "c.toml", of(folder, "value", &model, "mse"));
        let output = descent(folder, &["train", "c.toml", "--set", "train.max_steps=1", "--out", run]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains("`model.numerical.activation` is true"), is_warned, "{said}");
    }
}

#[test]
fn folds_and_comparisons_take_the_parts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    let text = of(folder, "class", PARTS[5].1, "cross_entropy").replace("epochs = 3", "epochs = 1");
    write(folder, "c.toml", text.replace("\ntest = 0.2", ""));
    succeed(folder, &["train", "c.toml", "-q", "--folds", "2", "--out", "folds"]);
    let vary = ["compare", "--train", "c.toml", "--vary", "model.ensemble=2,3", "--out", "varied"];
    succeed(folder, &vary);
}

#[test]
fn impossible_parts_are_refused_by_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    for (model, loss, expected) in [
        ("ensemble = 0", "mse", "`model.ensemble` is 0"),
        ("ensemble = 2", "gaussian_nll", "`gaussian_nll` have no mean"),
        ("front_scale = true\nlayer_names = 'sequential'", "mse", "`model.front_scale`"),
        ("parametric_activation = true\nlayer_names = 'act'", "mse", "clashes"),
        ("numerical = 'periodic'", "mse", "[model.numerical]"),
        ("[model.numerical]\nname = 'period'", "mse", "did you mean `periodic`"),
        ("[model.numerical]\nname = 'periodic'\nn_frequencies = 0", "mse", "n_frequencies"),
        ("[model.numerical]\nname = 'periodic'\nvariant = 'pbld'\nd_embedding = 1", "mse", "d_embedding"),
        ("ensemble = 2\n[model.init]\noutput = 'xavier_normal'", "mse", "init.output"),
    ] {
        let error = fail_config(folder, &of(folder, "value", model, loss));
        assert!(error.contains(expected), "{model}: {error}");
    }
    let text = of(folder, "value", "parametrization = 'ntk'", "mse").replace("\"adam\"", "\"lamb\"");
    write(folder, "c.toml", text);
    let error = fail(folder, &["train", "c.toml", "--out", "refused"], 2);
    assert!(error.contains("model.parametrization") && error.contains("lamb"), "{error}");
}

#[test]
fn weight_decay_and_dropout_decline_with_flat_cos() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    table(folder);
    let declining = "[schedule]\ninterval = 'step'\nweight_decay = 'flat_cos'\ndropout = { name = 'flat_cos', flat = 0.25 }\n";
    let text = of(folder, "value", "dropout = 0.3", "mse").replace("\"adam\"", "\"adamw\"");
    write(folder, "c.toml", text.clone() + declining);
    succeed(folder, &["train", "c.toml", "-q", "--out", "declining"]);
    write(folder, "c.toml", &text);
    succeed(folder, &["train", "c.toml", "-q", "--out", "constant"]);
    let weights = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert!(weights("declining") != weights("constant"));
    let resolved = fs::read_to_string(folder.join("declining/config.toml")).unwrap();
    assert!(resolved.contains("weight_decay = \"flat_cos\""), "{resolved}");
    for (line, expected) in [
        ("dropout = 'cosine'", "known are `flat_cos`"),
        ("weight_decay = { name = 'flat_cos', flat = 2.0 }", "flat"),
        ("dropout = { name = 'flat_cos', total_steps = 2 }", "total_steps"),
    ] {
        let error = fail_config(folder, &(text.clone() + &format!("[schedule]\n{line}\n")));
        assert!(error.contains(expected), "{line}: {error}");
    }
}
