//! Initial weights have the distribution of torch's: mean, deviation and bounds against a draw of torch's own.

use std::collections::BTreeMap;
use std::fs;

use candle_core::Tensor;
use descent::nn::Init;
use serde::Deserialize;

use crate::common::{config, repository, trainer};

#[derive(Debug, Deserialize)]
struct Summary {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

fn golden() -> BTreeMap<String, Summary> {
    serde_json::from_str(&fs::read_to_string(repository("tests/golden/init.json")).unwrap()).unwrap()
}

fn summary(tensor: &Tensor) -> (Summary, f64) {
    let values = tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let count = f64::from(u32::try_from(values.len()).unwrap());
    let mean = values.iter().sum::<f64>() / count;
    let std = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (Summary { mean, std, min, max }, count)
}

/// Two samples of one distribution: means and deviations within six standard errors, and where the distribution has
/// bounds they are reached and not passed.
fn compare(name: &str, ours: &Tensor, theirs: &Summary) {
    let (ours, count) = summary(ours);
    let error = 6.0 * theirs.std / count.sqrt() + 1e-12;
    assert!((ours.mean - theirs.mean).abs() <= 1.5 * error, "{name}: {ours:?} {theirs:?}");
    assert!((ours.std - theirs.std).abs() <= 1.5 * error, "{name}: {ours:?} {theirs:?}");
    let uniform = name.contains("uniform") || name.contains("mlp.") || name.contains("rnn.");
    if uniform || name.contains("trunc") {
        // The ends of a bounded sample lie within a few spacings of the bounds.
        let slack = 30.0 * theirs.std / count + if name.contains("trunc") { 0.02 } else { 0.0 };
        assert!((ours.min - theirs.min).abs() <= slack, "{name}: {ours:?} {theirs:?}");
        assert!((ours.max - theirs.max).abs() <= slack, "{name}: {ours:?} {theirs:?}");
    }
}

/// The weight (300, 500) of a layer, drawn as `scheme` says.
fn draw(scheme: &str) -> BTreeMap<String, Tensor> {
    let config = config(&format!(
        "[model]\nname = 'mlp'\nhidden = [300]\n[model.init]\n{scheme}\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\n\
         [train]\ndtype = 'f64'\n"
    ));
    trainer(&config, &[500], 1).network().params().copy().unwrap()
}

#[test]
fn every_initialiser_has_torchs_distribution() {
    let golden = golden();
    for (name, theirs) in &golden {
        if name.starts_with('{') {
            compare(name, &draw(&format!("hidden = {name}"))["layer1.weight"], theirs);
        }
    }
    for name in Init::NAMES {
        assert!(golden.keys().any(|key| key.contains(&format!("\"{name}\""))), "no golden values for {name}");
    }
}

#[test]
fn layers_start_as_torchs_do() {
    let golden = golden();
    let state = draw("");
    compare("mlp.weight", &state["layer1.weight"], &golden["mlp.weight"]);
    compare("mlp.bias", &state["layer1.bias"], &golden["mlp.bias"]);
    let config = config(
        "[model]\nname = 'rnn'\nhidden_size = 200\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\n[train]\ndtype = 'f64'\n",
    );
    let state = trainer(&config, &[2, 300], 1).network().params().copy().unwrap();
    for name in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"] {
        compare(&format!("rnn.{name}"), &state[&format!("rnn.{name}")], &golden[&format!("rnn.{name}")]);
    }
}

#[test]
fn the_scheme_reaches_hidden_output_and_bias_weights() {
    let state = draw("hidden = 'ones'\noutput = { name = 'constant', val = 2.0 }\nbias = 'zeros'");
    let all = |name: &str, value: f64| {
        let values = state[name].flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert!(values.iter().all(|x| (x - value).abs() < 1e-12), "{name}");
    };
    all("layer1.weight", 1.0);
    all("layer2.weight", 2.0);
    all("layer1.bias", 0.0);
    all("layer2.bias", 0.0);
}
