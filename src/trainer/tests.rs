//! Updates whose outcome is known later, as on a GPU: here on the CPU, by the kernels as a C++ compiler makes them for
//! this machine.

mod given_up;
mod ranks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Device, Tensor};

use super::*;
use crate::data::Affine;
use crate::model::{Model, NetworkOptions};
use crate::optim::Grouped;
use crate::optim::schedule::SchedulePlan;
use crate::registry::FromTable;

/// Eight rows a batch, two batches an update.
const ROWS: usize = 8;

/// 640 rows of three numbers: 80 batches.
fn data(bad: Option<usize>) -> Dataset {
    data_of((0i64..640).map(|row| row % 2), bad)
}

/// The same rows of these classes.
fn data_of(classes: impl Iterator<Item = i64>, bad: Option<usize>) -> Dataset {
    let mut numbers: Vec<f64> = (0..640 * 3).map(|i| (f64::from(i) * 0.7).sin()).collect();
    if let Some(row) = bad {
        numbers[3 * row] = f64::INFINITY;
    }
    let xs = Tensor::from_vec(numbers, (640, 3), &Device::Cpu).unwrap();
    let ys = Tensor::from_iter(classes.collect::<Vec<_>>(), &Device::Cpu).unwrap();
    Dataset::new(&xs, &ys, Affine::IDENTITY, DType::F64, &Device::Cpu).unwrap()
}

fn trainer(accumulate: usize) -> Trainer {
    trainer_of("name = 'mlp'\nhidden = [6]\nbatch_norm = true", accumulate, 1)
}

/// One that averages its weights.
fn averaging() -> Trainer {
    let mut trainer = trainer(1);
    let rule = Averages::from_table("name = 'ema'\ndecay = 0.8\nwarmup = true".parse().unwrap()).unwrap();
    trainer.average = Some(Average::new(rule));
    trainer
}

fn trainer_of(model: &str, accumulate: usize, shards: usize) -> Trainer {
    let table = |text: &str| text.parse::<toml::Table>().unwrap();
    let model = Model::from_table(table(model)).unwrap();
    let network = Network::new(&model, &[3], 2, 1, NetworkOptions::new(DType::F64, &Device::Cpu)).unwrap();
    let options = Grouped::from_table(table("name = 'nadam'\nlr = 0.01")).unwrap();
    let optimizer = Optimizer::new(options, SchedulePlan::default(), network.params()).unwrap();
    let loss = Losses::from_table(table("name = 'cross_entropy'")).unwrap();
    let batch_size = Descent::MiniBatch(ROWS);
    let dtype = FloatType::F64;
    let options = TrainOptions { batch_size, shards, accumulate, dtype, ..TrainOptions::default() };
    Trainer::new(network, loss, optimizer, options, 1).unwrap()
}

/// The same, whose updates' outcomes are known later.
fn queued(accumulate: usize) -> Trainer {
    known_later(trainer(accumulate))
}

fn known_later(mut trainer: Trainer) -> Trainer {
    trainer.executor = Executor::queued(trainer.network().params(), false).unwrap();
    trainer
}

fn numbers(tensors: &BTreeMap<String, Tensor>) -> Vec<f64> {
    let wide = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    tensors.values().flat_map(|tensor| wide(tensor).to_vec1::<f64>().unwrap()).collect()
}

/// Weights, BatchNorm's statistics, the optimizer's state and the average.
fn state(trainer: &Trainer) -> Vec<f64> {
    let snapshot = trainer.snapshot().unwrap();
    let average = snapshot.average.as_ref().map(numbers).unwrap_or_default();
    [numbers(&snapshot.model), numbers(&snapshot.optimizer), average].concat()
}

#[test]
fn an_interrupted_update_leaves_batch_norms_statistics_as_they_were() {
    let data = data(None);
    for mut trainer in [trainer(2), queued(2)] {
        let rows: Vec<Vec<u32>> = trainer.updates(&data, 1).take(2).collect();
        trainer.submit(&data, &rows[0], 1).unwrap();
        trainer.wait(&data).unwrap();
        let before = state(&trainer);
        let flag = Arc::new(AtomicBool::new(true));
        trainer.interrupt_by(Arc::clone(&flag));
        let given_up = trainer.submit(&data, &rows[1], 1);
        assert!(matches!(given_up, Err(Error::Interrupted)), "{given_up:?}");
        trainer.wait(&data).unwrap();
        assert_eq!(state(&trainer), before);
        flag.store(false, Ordering::Relaxed);
        trainer.submit(&data, &rows[1], 1).unwrap();
        trainer.wait(&data).unwrap();
        assert_ne!(state(&trainer), before);
    }
}

#[test]
fn an_interruption_loses_no_update_that_was_made_before() {
    let data = data(None);
    let mut trainer = queued(2);
    let flag = Arc::new(AtomicBool::new(false));
    trainer.interrupt_by(Arc::clone(&flag));
    for index in 0..65 {
        let rows: Vec<Vec<u32>> = trainer.updates(&data, 1).collect();
        flag.store(index == 64, Ordering::Relaxed);
        match trainer.submit(&data, &rows[index % rows.len()], 1) {
            Ok(()) => {}
            Err(error) => assert!(index == 64 && matches!(error, Error::Interrupted), "{error}"),
        }
    }
    trainer.wait(&data).unwrap();
    assert_eq!((trainer.take_known().len(), trainer.steps()), (64, 64));
}

#[test]
fn an_update_that_is_not_finite_among_many_leaves_the_trainer_as_it_was_before_it() {
    // The 30th of 80 updates has a row that is infinite; 64 are in flight before anyone looks.
    let shuffled = trainer(1);
    let bad = shuffled.updates(&data(None), 1).nth(29).unwrap()[0] as usize;
    let data = data(Some(bad));
    let ends = [averaging(), known_later(averaging())].map(|mut trainer| {
        let made = trainer.updates(&data, 1).try_for_each(|rows| trainer.submit(&data, &rows, 1));
        let error = made.and_then(|()| trainer.wait(&data)).unwrap_err().to_string();
        (error, trainer.take_known().len(), trainer.steps(), state(&trainer))
    });
    assert_eq!((&ends[0].0, ends[0].1, ends[0].2), (&ends[1].0, ends[1].1, ends[1].2));
    assert_eq!(ends[0].1, 29);
    assert_eq!(ends[0].3.len(), ends[1].3.len());
    for (now, later) in ends[0].3.iter().zip(&ends[1].3) {
        assert!((now - later).abs() < 1e-9, "{now} {later}");
    }
}

#[test]
fn an_average_that_is_queued_is_that_of_updates_at_once() {
    let data = data(None);
    let ends = [averaging(), known_later(averaging())].map(|mut trainer| {
        let mut states = Vec::new();
        for epoch in 1..=2 {
            for rows in trainer.updates(&data, epoch).take(70) {
                trainer.submit(&data, &rows, epoch).unwrap();
            }
            trainer.wait(&data).unwrap();
            trainer.end_epoch(epoch).unwrap();
            states.extend(state(&trainer));
            // As a run that is resumed: the state goes on from what was saved.
            let saved = trainer.snapshot().unwrap();
            trainer.restore(&saved).unwrap();
        }
        states
    });
    assert_eq!(ends[0].len(), ends[1].len());
    for (now, later) in ends[0].iter().zip(&ends[1]) {
        assert!((now - later).abs() < 1e-9, "{now} {later}");
    }
}
