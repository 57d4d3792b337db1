//! Trajectories of 100 updates in f64 against PyTorch's, at 1e-10. `scripts/golden.py` made the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Tensor};
use descent::checkpoint;
use descent::config::Config;
use descent::data::Dataset;
use descent::loss::Losses;
use descent::model::Model;
use descent::nn::{Activation, Numerical};
use descent::optim::Rule;
use descent::optim::schedule::Schedules;
use descent::trainer::{Averages, Trainer};

use crate::common::{config, dataset, relative_difference, repository, trainer};

const TOLERANCE: f64 = 1e-10;

/// Updates from the `final` weights to the `later` ones.
const LATER: usize = 20;

/// torch runs Muon's iteration in bfloat16, whose numbers lie 2⁻⁸ apart: two orders of one sum can round to neighbours.
const TOLERANCE_OF_MUON: f64 = 1.0 / 256.0;

/// The tensors of a file whose names start with `prefix/`, without it.
fn part(tensors: &BTreeMap<String, Tensor>, prefix: &str) -> BTreeMap<String, Tensor> {
    let strip =
        |name: &String| name.strip_prefix(prefix).and_then(|name| name.strip_prefix('/')).map(str::to_owned);
    tensors.iter().filter_map(|(name, tensor)| Some((strip(name)?, tensor.clone()))).collect()
}

/// The largest magnitude of an element.
fn largest(tensor: &Tensor) -> f64 {
    let values = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    values.into_iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// What a golden file asks for.
struct Case {
    tensors: BTreeMap<String, Tensor>,
    config: Config,
    data: Dataset,
    outputs: usize,
}

impl Case {
    fn read(path: &Path) -> Self {
        let tensors = checkpoint::load(path).unwrap();
        let mut config = config(&checkpoint::inspect(path).unwrap().metadata["config"]);
        let bias = tensors[&("final/".to_owned() + last_bias(&tensors))].dims();
        let outputs = bias[bias.len() - 1];
        let data = dataset(&config, &tensors["x"], &tensors["y"]);
        config.loss = config.loss.fit(&data, outputs).unwrap();
        Self { tensors, config, data, outputs }
    }

    /// A trainer that starts from the weights of this part of the file.
    fn trainer(&self, weights: &str) -> Trainer {
        let trainer = trainer(&self.config, &self.tensors["x"].dims()[1..], self.outputs);
        trainer.network().params().load(&part(&self.tensors, weights)).unwrap();
        trainer
    }

    /// Trains up to `steps` updates, of which the first ones, with these losses, were made already.
    fn train(&self, trainer: &mut Trainer, made: &[f64], steps: usize) -> Vec<f64> {
        let mut losses = Vec::new();
        for epoch in 1.. {
            let (mut sum, mut total) = (0.0, 0.0);
            for rows in trainer.updates(&self.data, epoch) {
                if losses.len() == steps {
                    return losses;
                }
                let (loss, weight) = if let Some(loss) = made.get(losses.len()) {
                    (*loss, f64::from(u32::try_from(rows.len()).unwrap()))
                } else {
                    let update = trainer.update(&self.data, &rows, epoch).unwrap();
                    (update.loss_sum / self.config.loss.divisor(update.total), update.total)
                };
                losses.push(loss);
                sum += loss * weight;
                total += weight;
            }
            if losses.len() > made.len() {
                trainer.end_epoch(epoch).unwrap();
            }
            trainer.observe(&[("train_loss".to_owned(), sum / total)]);
        }
        losses
    }

    /// The differences of these tensors to that part of the file, with their names.
    fn differences(&self, ours: &BTreeMap<String, Tensor>, name: &str) -> Vec<(String, f64)> {
        let theirs = part(&self.tensors, name);
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
        let compare = |(key, tensor): (&String, &Tensor)| {
            let difference = relative_difference(&ours[key], tensor);
            // A number that comes from 0.1 and happens to end at 1e-6 keeps the rounding that it had on the way.
            let start = self.tensors.get(&format!("init/{key}")).map_or(0.0, largest);
            let end = largest(tensor);
            (
                format!("{name}/{key}"),
                if start > end && end > 1e-14 { difference * end / start } else { difference },
            )
        };
        theirs.iter().map(compare).collect()
    }

    fn losses(&self) -> Vec<f64> {
        self.tensors["losses"].to_vec1().unwrap()
    }
}

/// Trains as the file says and gives what differs, with how much.
fn replay(case: &Case) -> Vec<(String, f64)> {
    let mut trainer = case.trainer("init");
    let expected = &case.tensors["losses"];
    let losses = case.train(&mut trainer, &[], case.losses().len());
    let losses = Tensor::new(losses, expected.device()).unwrap();
    let mut differences = vec![("losses".to_owned(), relative_difference(&losses, expected))];
    let optimizer: BTreeMap<String, Tensor> = trainer.optimizer().state().unwrap().into_iter().collect();
    differences.extend(case.differences(&trainer.network().params().copy().unwrap(), "final"));
    differences.extend(case.differences(&optimizer, "state"));
    trainer.enter_average(&case.data).unwrap();
    let mut average = trainer.network().params().copy().unwrap();
    average.retain(|_, _| case.config.train.average.is_some());
    differences.extend(case.differences(&average, "average"));
    differences
}

/// Goes on where torch was after the last update that the file tells of, and gives what differs later.
fn go_on(case: &Case) -> Vec<(String, f64)> {
    let made = case.losses();
    let mut trainer = case.trainer("final");
    trainer.load_optimizer(&part(&case.tensors, "state"), made.len() as u64).unwrap();
    case.train(&mut trainer, &made, made.len() + LATER);
    case.differences(&trainer.network().params().copy().unwrap(), "later")
}

/// Goes on in another trainer from what ours was in the middle; gives whether the end has the same bits.
fn same_bits_after_a_stop(case: &Case) -> bool {
    let steps = case.losses().len();
    let (mut whole, mut first, mut second) =
        (case.trainer("init"), case.trainer("init"), case.trainer("init"));
    let losses = case.train(&mut whole, &[], steps);
    case.train(&mut first, &[], steps / 2);
    let state: BTreeMap<String, Tensor> = first.optimizer().state().unwrap().into_iter().collect();
    second.network().params().load(&first.network().params().copy().unwrap()).unwrap();
    second.load_optimizer(&state, first.steps()).unwrap();
    case.train(&mut second, &losses[..steps / 2], steps);
    let weights = |trainer: &Trainer| bits(&trainer.network().params().copy().unwrap());
    let state = |trainer: &Trainer| bits(&trainer.optimizer().state().unwrap().into_iter().collect());
    weights(&whole) == weights(&second) && state(&whole) == state(&second)
}

fn bits(tensors: &BTreeMap<String, Tensor>) -> Vec<(String, Vec<u64>)> {
    let bits = |tensor: &Tensor| {
        let wide = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        wide.into_iter().map(f64::to_bits).collect()
    };
    tensors.iter().map(|(name, tensor)| (name.clone(), bits(tensor))).collect()
}

/// The bias of the last layer: the largest `layerN`, `fc` or `linear`.
fn last_bias(tensors: &BTreeMap<String, Tensor>) -> &str {
    let is_bias = |name: &str| name.rsplit('.').next() == Some("bias");
    let names = tensors.keys().filter_map(|name| name.strip_prefix("final/"));
    names
        .filter(|name| is_bias(name) && ["layer", "fc", "linear"].iter().any(|layer| name.starts_with(layer)))
        .max()
        .unwrap()
}

fn files() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(repository("tests/golden")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "safetensors"));
    files.sort();
    files
}

/// Refuses differences that are larger than they may be.
fn require_equal(differ: impl Fn(&Case) -> Vec<(String, f64)>) {
    let files = files();
    assert!(files.len() >= 50, "only {} golden files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let muon = path.to_string_lossy().contains("muon");
        for (name, difference) in differ(&Case::read(&path)) {
            if difference > if muon { TOLERANCE_OF_MUON } else { TOLERANCE } {
                wrong.push(format!("{} {name}: {difference:e}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} tensors differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_trajectory_is_pytorchs() {
    require_equal(replay);
}

#[test]
fn what_pytorch_left_trains_on_here() {
    require_equal(go_on);
}

#[test]
fn a_trainer_with_anothers_state_goes_on_to_the_same_bits() {
    for path in files() {
        assert!(same_bits_after_a_stop(&Case::read(&path)), "{}", path.display());
    }
}

/// `compute_bins` of `rtdl_num_embeddings` made those of the files.
#[test]
fn the_bins_of_the_training_rows_are_rtdls() {
    let mut seen = 0;
    for path in files() {
        let case = Case::read(&path);
        let Some(expected) = case.tensors.get("init/numerical.impl.weight") else { continue };
        let trainer = trainer(&case.config, &case.tensors["x"].dims()[1..], case.outputs);
        trainer.network().fit(&case.data).unwrap();
        let state = trainer.network().params().copy().unwrap();
        assert!(relative_difference(&state["numerical.impl.weight"], expected) < TOLERANCE);
        let expected = &case.tensors["init/numerical.impl.bias"];
        assert!(relative_difference(&state["numerical.impl.bias"], expected) < TOLERANCE);
        seen += 1;
    }
    assert!(seen >= 2);
}

/// A new entry of a registry fails here until it has its golden file.
#[test]
fn every_name_has_a_trajectory() {
    let configs: Vec<String> =
        files().iter().map(|path| checkpoint::inspect(path).unwrap().metadata["config"].clone()).collect();
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
        ("model.numerical", "name", Numerical::NAMES),
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
