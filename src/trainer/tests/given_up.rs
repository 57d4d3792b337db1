//! Updates and evaluations that are abandoned, and batches in which no row counts.

use std::sync::atomic::AtomicUsize;

use super::*;

/// A trainer of a network by L-BFGS, with full batches.
fn lbfgs(model: &str, options: &str) -> Trainer {
    let table = |text: &str| text.parse::<toml::Table>().unwrap();
    let model = Model::from_table(table(&format!("name = 'mlp'\nhidden = [6]\n{model}"))).unwrap();
    let network = Network::new(&model, &[3], 2, 1, NetworkOptions::new(DType::F64, &Device::Cpu)).unwrap();
    let options = Grouped::from_table(table(&format!("name = 'lbfgs'\n{options}"))).unwrap();
    let optimizer = Optimizer::new(options, SchedulePlan::default(), network.params()).unwrap();
    let loss = Losses::from_table(table("name = 'cross_entropy'")).unwrap();
    let options =
        TrainOptions { batch_size: Descent::Batch, dtype: FloatType::F64, ..TrainOptions::default() };
    Trainer::new(network, loss, optimizer, options, 1).unwrap()
}

#[test]
fn an_update_of_lbfgs_that_is_given_up_leaves_all_as_it_was_and_is_made_anew() {
    let (data, rows) = (data(None), (0..16).collect::<Vec<u32>>());
    for options in ["max_iter = 30", "max_iter = 30\nline_search_fn = 'strong_wolfe'"] {
        let (mut given_up, mut whole) =
            (lbfgs("batch_norm = true", options), lbfgs("batch_norm = true", options));
        for trainer in [&mut given_up, &mut whole] {
            trainer.update(&data, &rows, 1).unwrap();
        }
        let before = state(&given_up);
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        given_up.limit_by(move || counter.fetch_add(1, Ordering::Relaxed) == 4);
        let error = given_up.update(&data, &rows, 1).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
        assert_eq!((state(&given_up), given_up.steps()), (before, 1));
        // From now on there is time.
        let again = given_up.update(&data, &rows, 1).unwrap();
        assert_eq!(again, whole.update(&data, &rows, 1).unwrap());
        assert_eq!(state(&given_up), state(&whole));
        assert!(asked.load(Ordering::Relaxed) > 6);
    }
}

#[test]
fn a_trial_of_lbfgs_that_is_not_finite_is_a_divergence_where_no_search_comes_back_from_it() {
    let (data, rows) = (data(None), (0..16).collect::<Vec<u32>>());
    for maximize in [false, true] {
        let options = format!("lr = 1e308\nmaximize = {maximize}");
        let mut trainer = lbfgs("", &options);
        let before = state(&trainer);
        let error = trainer.update(&data, &rows, 1).unwrap_err();
        assert!(matches!(error, Error::Diverged { step: 1, .. }), "{error}");
        assert_eq!((state(&trainer), trainer.steps()), (before, 0));
        // A line search comes back from it.
        let mut trainer = lbfgs("", &format!("{options}\nline_search_fn = 'strong_wolfe'"));
        trainer.update(&data, &rows, 1).unwrap();
        assert!(state(&trainer).iter().all(|number| number.is_finite()));
    }
}

#[test]
fn a_batch_of_which_no_row_counts_leaves_all_as_it_was() {
    let data = data_of((0i64..640).map(|row| if row < 32 { -100 } else { row % 2 }), None);
    let (ignored, rows): (Vec<u32>, Vec<u32>) = ((0..16).collect(), (32..48).collect());
    for (mut trainer, mut expected) in [(trainer(2), trainer(2)), (queued(2), queued(2))] {
        for batch in [&ignored, &rows, &ignored] {
            let submitted = trainer.submit(&data, batch, 1);
            assert_eq!(matches!(submitted, Err(Error::NothingCounts)), batch == &ignored, "{submitted:?}");
        }
        assert!(trainer.gradients(&data, &ignored, 1).unwrap().is_empty());
        trainer.wait(&data).unwrap();
        expected.update(&data, &rows, 1).unwrap();
        assert_eq!((state(&trainer), trainer.steps()), (state(&expected), 1));
        assert_eq!(trainer.take_known().len(), 1);
    }
}

#[test]
fn an_evaluation_is_given_up_when_the_trainer_is_to_stop() {
    let (data, mut trainer) = (data(None), trainer(1));
    let flag = Arc::new(AtomicBool::new(true));
    trainer.interrupt_by(Arc::clone(&flag));
    assert!(matches!(trainer.evaluate(&data), Err(Error::Interrupted)));
    flag.store(false, Ordering::Relaxed);
    assert!(trainer.evaluate(&data).unwrap().loss > 0.0);
}

/// A flag for the trainer that is set when a layer below it is done: asked for the first time between two layers.
fn stop_of(trainer: &mut Trainer, value: bool) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(value));
    trainer.interrupt_by(Arc::clone(&flag));
    flag
}

#[test]
fn an_update_of_one_part_is_given_up_between_layers_and_leaves_all_as_it_was() {
    let data = data(None);
    let rows: Vec<u32> = (0..8).collect();
    for (mut given_up, mut whole) in [(trainer(1), trainer(1)), (queued(1), queued(1))] {
        let flag = stop_of(&mut given_up, true);
        let before = state(&given_up);
        let submitted = given_up.submit(&data, &rows, 1);
        assert!(matches!(submitted, Err(Error::Interrupted)), "{submitted:?}");
        assert_eq!((state(&given_up), given_up.steps()), (before, 0));
        flag.store(false, Ordering::Relaxed);
        for trainer in [&mut given_up, &mut whole] {
            trainer.submit(&data, &rows, 1).unwrap();
            trainer.wait(&data).unwrap();
        }
        assert_eq!(state(&given_up), state(&whole));
    }
}
