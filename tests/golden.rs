//! Trajectories of 100 updates in f64 against PyTorch's, at 1e-10. `scripts/golden.py` made the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::Tensor;
use descent::checkpoint;
use descent::loss::Losses;
use descent::model::Model;
use descent::nn::Activation;
use descent::optim::Rule;
use descent::optim::schedule::Schedules;
use descent::trainer::Averages;

use crate::common::{config, dataset, relative_difference, repository, trainer};

const TOLERANCE: f64 = 1e-10;

/// torch runs Muon's iteration in bfloat16, whose numbers lie 2⁻⁸ apart: two orders of one sum can round to neighbours.
const TOLERANCE_OF_MUON: f64 = 1.0 / 256.0;

/// The tensors of a file whose names start with `prefix/`, without it.
fn part(tensors: &BTreeMap<String, Tensor>, prefix: &str) -> BTreeMap<String, Tensor> {
    let strip =
        |name: &String| name.strip_prefix(prefix).and_then(|name| name.strip_prefix('/')).map(str::to_owned);
    tensors.iter().filter_map(|(name, tensor)| Some((strip(name)?, tensor.clone()))).collect()
}

/// Trains as the file says and gives what differs, with how much.
fn replay(path: &Path) -> Vec<(String, f64)> {
    let tensors = checkpoint::load(path).unwrap();
    let (_, metadata) = checkpoint::inspect(path).unwrap();
    let mut config = config(&metadata["config"]);
    let (xs, ys) = (&tensors["x"], &tensors["y"]);
    let outputs = tensors[&("final/".to_owned() + last_bias(&tensors))].dims()[0];
    let data = dataset(&config, xs, ys);
    config.loss = config.loss.fit(&data, outputs).unwrap();
    let mut trainer = trainer(&config, &xs.dims()[1..], outputs);
    trainer.network().params().load(&part(&tensors, "init")).unwrap();
    let expected_losses = tensors["losses"].to_vec1::<f64>().unwrap();
    let mut losses = Vec::new();
    'training: for epoch in 1.. {
        let (mut sum, mut total) = (0.0, 0.0);
        for rows in trainer.batches(&data, epoch) {
            if losses.len() == expected_losses.len() {
                break 'training;
            }
            let update = trainer.update(&data, &rows, epoch).unwrap();
            sum += update.loss_sum;
            total += update.total;
            losses.push(update.loss_sum / config.loss.divisor(update.total));
        }
        trainer.end_epoch(epoch).unwrap();
        trainer.observe(&[("train_loss".to_owned(), sum / total)]);
    }
    let losses = Tensor::new(losses, xs.device()).unwrap();
    let mut differences = vec![("losses".to_owned(), relative_difference(&losses, &tensors["losses"]))];
    let state = trainer.network().params().copy().unwrap();
    let optimizer: BTreeMap<String, Tensor> = trainer.optimizer().state().unwrap().into_iter().collect();
    trainer.enter_average(&data).unwrap();
    let mut average = trainer.network().params().copy().unwrap();
    average.retain(|_, _| config.train.average.is_some());
    for (ours, theirs, kind) in [
        (&state, part(&tensors, "final"), "final"),
        (&optimizer, part(&tensors, "state"), "state"),
        (&average, part(&tensors, "average"), "average"),
    ] {
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{}", path.display());
        for (name, tensor) in theirs {
            differences.push((format!("{kind}/{name}"), relative_difference(&ours[&name], &tensor)));
        }
    }
    differences
}

/// The bias of the last layer: the largest `layerN` or `fc`.
fn last_bias(tensors: &BTreeMap<String, Tensor>) -> &str {
    let is_bias = |name: &str| name.rsplit('.').next() == Some("bias");
    let names = tensors.keys().filter_map(|name| name.strip_prefix("final/"));
    names.filter(|name| is_bias(name) && (name.starts_with("layer") || name.starts_with("fc"))).max().unwrap()
}

fn files() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(repository("tests/golden")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "safetensors"));
    files.sort();
    files
}

#[test]
fn every_trajectory_is_pytorchs() {
    let files = files();
    assert!(files.len() >= 50, "only {} golden files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let muon = path.to_string_lossy().contains("optim-muon");
        for (name, difference) in replay(&path) {
            if difference > if muon { TOLERANCE_OF_MUON } else { TOLERANCE } {
                wrong.push(format!("{} {name}: {difference:e}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} tensors differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// A new entry of a registry fails here until it has its golden file.
#[test]
fn every_name_has_a_trajectory() {
    let configs: Vec<String> =
        files().iter().map(|path| checkpoint::inspect(path).unwrap().1["config"].clone()).collect();
    let has = |section: &str, key: &str, name: &str| {
        configs.iter().any(|config| {
            let table = toml::Value::Table(config.parse().unwrap());
            let section = section.split('.').try_fold(&table, |value, key| value.get(key));
            section.and_then(|section| section.get(key)).and_then(toml::Value::as_str) == Some(name)
        })
    };
    let names = [
        ("optimizer", "name", Rule::NAMES),
        ("model", "name", Model::NAMES),
        ("loss", "name", Losses::NAMES),
        ("schedule", "name", Schedules::NAMES),
        ("model", "activation", Activation::NAMES),
        ("train.average", "name", Averages::NAMES),
    ];
    for (section, key, names) in names {
        for name in names {
            assert!(has(section, key, name), "no golden file has {section}.{key} = {name}");
        }
    }
}

#[test]
fn a_wrong_weight_is_seen() {
    let path = repository("tests/golden/optim-adam.safetensors");
    let tensors = checkpoint::load(&path).unwrap();
    let w = &tensors["final/layer1.weight"];
    let off = (w * (1.0 + 1e-9)).unwrap();
    assert!(relative_difference(&off, w) > TOLERANCE);
}
