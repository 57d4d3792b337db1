//! The library as a Rust program uses it: configs that are built or changed in code, and a trainer without a run.

use descent::candle::{DType, Device};
use descent::config::{Config, Every};
use descent::data::{Normalize, Threshold};
use descent::loss::Losses;
use descent::model::{Model, Network, NetworkOptions};
use descent::optim::schedule::{Schedules, step::StepLr};
use descent::optim::{Optimizer, Rule};
use descent::run::{Run, RunOptions};
use descent::trainer::average::{ema::Ema, swa::Swa};
use descent::trainer::{Averages, Descent, EarlyStopping, Trainer};

use crate::common::{config, repository};

/// The iris config; its data is found from any folder.
fn iris() -> Config {
    let data = format!("data.path='{}'", repository("tests/tables/iris.csv").display());
    Config::read(repository("configs/iris.toml"), &[data.as_str()]).unwrap()
}

/// A key, and a change that gives it a value that no config file may have.
type BadValue = (&'static str, fn(&mut Config));

const BAD_TRAINER: &[BadValue] = &[
    ("train.clip_grad_norm", |config| config.train.clip_grad_norm = Some(-1.0)),
    ("train.clip_grad_value", |config| config.train.clip_grad_value = Some(f64::NAN)),
    ("train.accumulate", |config| config.train.accumulate = 0),
    ("train.batch_size", |config| config.train.batch_size = Descent::MiniBatch(0)),
    ("train.shards", |config| config.train.shards = 3),
    ("train.average.decay", |config| {
        config.train.average = Some(Averages::Ema(Ema { decay: 1.5, ..Ema::default() }));
    }),
];

const BAD_RUN: &[BadValue] = &[
    ("train.epochs", |config| config.run.epochs = 0),
    ("train.max_time", |config| config.run.max_time = -1.0),
    ("train.checkpoint_every", |config| config.run.checkpoint_every = Every::Steps(0)),
    ("train.average.start_epoch", |config| {
        config.train.average = Some(Averages::Swa(Swa { start_epoch: 101 }));
    }),
    ("train.early_stopping.monitor", |config| {
        config.run.early_stopping =
            Some(EarlyStopping { monitor: "val_los".to_owned(), ..EarlyStopping::default() });
    }),
    ("data.validation", |config| config.preparation.validation = 1.5),
    ("data.limit", |config| config.preparation.limit = Some(0)),
    ("data.threshold", |config| config.preparation.threshold = Some(Threshold::Probability(2.0))),
    ("data.normalize", |config| config.preparation.normalize = Normalize::Fixed { mean: 0.0, std: 0.0 }),
    ("model.dropout", |config| {
        let Model::Mlp(mlp) = &mut config.model else { unreachable!("iris has an mlp") };
        mlp.dropout = 1.5;
    }),
    ("loss.label_smoothing", |config| {
        let Losses::CrossEntropy(loss) = &mut config.loss else { unreachable!("iris has classes") };
        loss.label_smoothing = -0.5;
    }),
    ("optimizer.lr", |config| {
        let Rule::Adam(adam) = &mut config.optimizer.rule else { unreachable!("iris has adam") };
        adam.lr = -1.0;
    }),
    ("schedule.step_size", |config| {
        config.schedule.schedule = Some(Schedules::Step(StepLr { step_size: 0, ..StepLr::default() }));
    }),
];

#[test]
fn a_run_checks_a_config_that_was_changed_in_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    for (key, change) in BAD_TRAINER.iter().chain(BAD_RUN) {
        let mut config = iris();
        change(&mut config);
        let options = RunOptions { folder: Some(folder.clone()), ..RunOptions::default() };
        let error = Run::create(config, options).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
        assert!(!folder.exists(), "{key}");
    }
}

#[test]
fn a_trainer_checks_its_options() {
    for (key, change) in BAD_TRAINER {
        let mut config = config(
            "[model]\nname = 'mlp'\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\n",
        );
        change(&mut config);
        let network = NetworkOptions::new(DType::F32, &Device::Cpu);
        let network = Network::new(&config.model, &[4], 3, 0, network).unwrap();
        let optimizer = Optimizer::new(config.optimizer, config.schedule, network.params()).unwrap();
        let error = Trainer::new(network, config.loss, optimizer, config.train, 0).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
    }
}
