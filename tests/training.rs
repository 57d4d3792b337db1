//! What must hold of any training: one loop for three descents, seeds that decide everything.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use descent::data::Dataset;
use descent::nn::{Dropout, Layer};
use descent::nn::{Mode, Tape};
use descent::trainer::Trainer;

use crate::common::{config, dataset, normal, relative_difference, trainer};

const SECTIONS: &str = "[model]\nname = 'mlp'\nhidden = [16]\n[loss]\nname = 'cross_entropy'\n\
                        [optimizer]\nname = 'adam'\n[train]\n";

fn rows(count: u32) -> (Tensor, Tensor) {
    let xs: Vec<f32> =
        (0..101u8).map(|i| f32::from(i) / 50.0 - 1.0).cycle().step_by(37).take(count as usize * 7).collect();
    let ys: Vec<i64> = (0..count).map(|i| i64::from(i % 3)).collect();
    let count = count as usize;
    (
        Tensor::from_vec(xs, (count, 7), &Device::Cpu).unwrap(),
        Tensor::from_vec(ys, count, &Device::Cpu).unwrap(),
    )
}

/// Trains two epochs and gives the bits of all weights.
fn train(seed: u64, count: u32, options: &str) -> BTreeMap<String, Vec<u32>> {
    let config = config(&format!("seed = {seed}\n{SECTIONS}{options}\n").replace("seed", "#seed"));
    let mut config = config;
    config.seed = seed;
    let (xs, ys) = rows(count);
    let mut trainer = trainer(&config, &[7], 3);
    let data = dataset(&config, &xs, &ys);
    for epoch in 1..=2 {
        for rows in trainer.updates(&data, epoch) {
            trainer.update(&data, &rows, epoch).unwrap();
        }
    }
    bits(&trainer)
}

fn bits(trainer: &Trainer) -> BTreeMap<String, Vec<u32>> {
    let state = trainer.network().params().copy().unwrap();
    let bits = |tensor: Tensor| {
        tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
    };
    state.into_iter().map(|(name, tensor)| (name, bits(tensor))).collect()
}

#[test]
fn a_mini_batch_of_all_rows_is_the_batch_and_one_of_one_is_stochastic() {
    for count in [60, 700] {
        let full = train(1, count, "batch_size = 'full'");
        assert_eq!(full, train(1, count, &format!("batch_size = {count}")));
        assert_eq!(full, train(1, count, &format!("batch_size = {}", count + 5)));
    }
    assert_ne!(train(1, 60, "batch_size = 1"), train(1, 60, "batch_size = 2"));
}

#[test]
fn accumulated_batches_are_the_batch_they_make_up() {
    let whole = train(1, 60, "batch_size = 20\nshuffle = false");
    let parts = train(1, 60, "batch_size = 5\naccumulate = 4\nshuffle = false");
    for (name, bits) in whole {
        for (a, b) in bits.iter().zip(&parts[&name]) {
            // Sums in another order.
            assert!((f32::from_bits(*a) - f32::from_bits(*b)).abs() < 1e-5, "{name}");
        }
    }
}

#[test]
fn shards_are_the_batch_that_they_make_up() {
    for options in
        ["batch_size = 20", "batch_size = 7\nclip_grad_norm = 0.1", "batch_size = 9\naccumulate = 2"]
    {
        let whole = train(1, 60, options);
        for shards in [2, 4] {
            let parts = train(1, 60, &format!("{options}\nshards = {shards}"));
            for (name, bits) in &whole {
                for (a, b) in bits.iter().zip(&parts[name]) {
                    // Sums in another order.
                    let (a, b) = (f32::from_bits(*a), f32::from_bits(*b));
                    assert!((a - b).abs() < 1e-6, "{options}, {shards} shards, {name}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn equal_seeds_give_equal_bits_and_others_do_not() {
    assert_eq!(train(1, 60, "batch_size = 8"), train(1, 60, "batch_size = 8"));
    assert_ne!(train(1, 60, "batch_size = 8"), train(2, 60, "batch_size = 8"));
}

#[test]
fn plain_descent_makes_its_updates_as_the_gradients_come_and_ends_where_others_do() {
    let options = [("", "lr = 0.1\nweight_decay = 0.01"), ("batch_norm = true", "lr = 0.1\nmaximize = true")];
    for (model, optimizer) in options {
        let sections = SECTIONS
            .replace("hidden = [16]", &format!("hidden = [16, 8]\n{model}"))
            .replace("name = 'adam'", &format!("name = 'sgd'\n{optimizer}"))
            + "batch_size = 9\ndtype = 'f64'\n";
        let trained = |more: &str| {
            let config = config(&format!("{sections}{more}"));
            let (xs, ys) = rows(60);
            let mut trainer = trainer(&config, &[7], 3);
            let data = dataset(&config, &xs, &ys);
            for epoch in 1..=3 {
                for rows in trainer.updates(&data, epoch) {
                    trainer.update(&data, &rows, epoch).unwrap();
                }
            }
            assert_eq!(trainer.steps(), 21);
            trainer.network().params().copy().unwrap()
        };
        // Clipping looks at all gradients first, so that they go to buffers and the optimizer's own loop runs.
        let (direct, clipped) = (trained(""), trained("clip_grad_norm = 1e9\n"));
        for (name, ours) in direct {
            let off = relative_difference(&ours, &clipped[&name]);
            assert!(off < 1e-11, "{name}: {off}");
        }
    }
}

#[test]
fn dropout_is_off_in_evaluation() {
    let xs = Tensor::ones((4, 5), candle_core::DType::F32, &Device::Cpu).unwrap();
    let dropout = Dropout { p: 0.5 };
    let same = |ys: &Tensor| ys.to_vec2::<f32>().unwrap() == xs.to_vec2::<f32>().unwrap();
    assert!(same(&dropout.forward(&xs, &mut Mode::Eval).unwrap()));
    assert!(!same(&dropout.forward(&xs, &mut Mode::Train(&mut Tape::new(1, 1, 0))).unwrap()));
}

#[test]
fn batch_norm_needs_two_rows_and_says_how_to_get_them() {
    let sections = SECTIONS.replace("hidden = [16]", "hidden = [16]\nbatch_norm = true");
    for (batch, count, bad) in
        [("1", 60, true), ("59", 60, true), ("20", 60, false), ("59\ndrop_last = true", 60, false)]
    {
        let config = config(&format!("{sections}batch_size = {batch}\n"));
        let (xs, ys) = rows(count);
        let result = trainer(&config, &[7], 3).check(&dataset(&config, &xs, &ys));
        assert_eq!(result.is_err(), bad, "{batch}");
        if let Err(error) = result {
            assert!(error.to_string().contains("drop_last"), "{error}");
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_stops_before_the_update() {
    let config = config(&SECTIONS.replace("'adam'", "'sgd'\nlr = 0.5").replace("cross_entropy", "mse"));
    let xs = Tensor::full(1e30f32, (4, 7), &Device::Cpu).unwrap();
    let ys = Tensor::ones((4, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    let mut trainer = trainer(&config, &[7], 1);
    let before = bits(&trainer);
    let data = dataset(&config, &xs, &ys);
    let error = trainer.update(&data, &[0, 1, 2, 3], 1).unwrap_err().to_string();
    assert!(error.contains("step 1") && error.contains("lr 0.5"), "{error}");
    assert_eq!(before, bits(&trainer));
}

#[test]
fn a_gradient_norm_that_is_not_finite_stops_before_the_update() {
    let config = config(&format!("{SECTIONS}clip_grad_norm = 1.0\n").replace("cross_entropy", "mse"));
    // The loss fits f32; the gradient of the first weights, which has the input as a factor, does not.
    let xs = Tensor::full(3e38f32, (4, 7), &Device::Cpu).unwrap();
    let ys = Tensor::full(1e10f32, (4, 1), &Device::Cpu).unwrap();
    let mut trainer = trainer(&config, &[7], 1);
    let params = trainer.network().params();
    let zeros = params.copy().unwrap().into_iter().map(|(name, tensor)| (name, tensor.zeros_like().unwrap()));
    let mut state: BTreeMap<String, Tensor> = zeros.collect();
    state.insert("layer1.weight".to_owned(), Tensor::full(1e-37f32, (16, 7), &Device::Cpu).unwrap());
    state.insert("layer2.weight".to_owned(), Tensor::full(1e-3f32, (1, 16), &Device::Cpu).unwrap());
    params.load(&state).unwrap();
    let before = bits(&trainer);
    let data = dataset(&config, &xs, &ys);
    let error = trainer.update(&data, &[0, 1, 2, 3], 1).unwrap_err().to_string();
    assert!(error.contains("norm of the gradients"), "{error}");
    assert_eq!(before, bits(&trainer));
}

#[test]
fn dropout_between_recurrent_layers_does_not_see_how_a_batch_is_cut() {
    let masks = |rows: usize, first: u64| {
        let xs = Tensor::ones((3, rows, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let mut tape = Tape::new(1, 1, first);
        let ys = Dropout { p: 0.5 }.forward(&xs, &mut Mode::Train(&mut tape)).unwrap();
        ys.transpose(0, 1).unwrap().contiguous().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!([masks(2, 0), masks(3, 2)].concat(), masks(5, 0));
}

#[test]
fn an_update_that_is_given_up_changes_nothing() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    // BatchNorm's statistics move in the first of two micro-batches.
    let config = config(
        "[model]\nname = 'mlp'\nhidden = [4]\nbatch_norm = true\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n\
         [train]\nbatch_size = 4\naccumulate = 2\naverage = { name = 'ema' }\n",
    );
    let xs = normal(1, (8, 3));
    let data = dataset(&config, &xs, &xs.sum_keepdim(1).unwrap());
    let mut trainer = trainer(&config, &[3], 1);
    let rows: Vec<u32> = (0..8).collect();
    trainer.update(&data, &rows, 1).unwrap();
    let state = |trainer: &descent::trainer::Trainer| {
        let snapshot = trainer.snapshot().unwrap();
        let all = snapshot.tensors().flatten().map(|(name, tensor)| {
            let wide = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            (name.to_owned(), wide)
        });
        all.collect::<Vec<_>>()
    };
    let before = state(&trainer);
    let flag = Arc::new(AtomicBool::new(true));
    trainer.interrupt_by(Arc::clone(&flag));
    let given_up = trainer.update(&data, &rows, 1);
    assert!(matches!(given_up, Err(descent::Error::Interrupted)), "{given_up:?}");
    assert_eq!((state(&trainer), trainer.steps()), (before.clone(), 1));
    flag.store(false, Ordering::Relaxed);
    trainer.update(&data, &rows, 1).unwrap();
    assert_ne!(state(&trainer), before);
}

/// By definition: `torch.nn.utils.clip_grad_norm_` returns the norm of all gradients together, before it clips them.
#[test]
fn an_update_reports_the_norm_of_its_gradients_before_they_are_clipped() {
    let norm_of = |trainer: &mut Trainer, data: &Dataset, batch: &[u32]| -> f64 {
        let gradients = trainer.gradients(data, batch, 1).unwrap();
        let squares = gradients.iter().map(|(_, gradient)| {
            let gradient = gradient.to_dtype(DType::F64).unwrap();
            gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
        });
        squares.sum::<f64>().sqrt()
    };
    for (options, clips) in
        [("", None), ("clip_grad_norm = 1e-3", Some(true)), ("clip_grad_norm = 1e3", Some(false))]
    {
        let config = config(&format!("{SECTIONS}batch_size = 20\n{options}\n"));
        let (xs, ys) = rows(60);
        let (mut trainer, data) = (trainer(&config, &[7], 3), dataset(&config, &xs, &ys));
        for batch in trainer.updates(&data, 1) {
            let expected = norm_of(&mut trainer, &data, &batch);
            let update = trainer.update(&data, &batch, 1).unwrap();
            let norm = update.norm.unwrap();
            assert!((norm - expected).abs() < 1e-6 * expected, "{norm} {expected}");
            assert_eq!(update.is_clipped, clips == Some(true));
        }
    }
}
