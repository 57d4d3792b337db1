//! Shards, and ranks as threads of one process.

use super::*;
use crate::distributed::threads::ThreadRanks;

/// Rows depend on each other, and some are dropped.
const COUPLED: &str = "name = 'mlp'\nhidden = [6]\nbatch_norm = true\ndropout = 0.3";
/// They do not.
const INDEPENDENT: &str = "name = 'mlp'\nhidden = [6, 5]\nlayer_norm = true\ndropout = 0.3";

/// The state of each of `ranks` ranks after updates of these numbers of rows.
fn on_ranks(ranks: usize, model: &str, shards: usize, batches: &[usize]) -> Vec<(Vec<f64>, Vec<Update>)> {
    let data = data(None);
    let train = |ranks: ThreadRanks| {
        let mut trainer = trainer_of(model, 2, shards).with_ranks(Arc::new(ranks)).unwrap();
        let made = batches.iter().scan(0u32, |first, &rows| {
            let end = *first + u32::try_from(rows).unwrap();
            let rows: Vec<u32> = (std::mem::replace(first, end)..end).collect();
            Some(trainer.update(&data, &rows, 1).unwrap())
        });
        let made = made.collect();
        (state(&trainer), made)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            ThreadRanks::new(ranks).into_iter().map(|own| scope.spawn(|| train(own))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Two full micro-batches, uneven ones, and one of fewer rows than shards.
const BATCHES: [usize; 5] = [16, 15, 10, 3, 2];

#[test]
fn two_and_four_ranks_make_the_updates_of_one() {
    for model in [COUPLED, INDEPENDENT] {
        let expected = on_ranks(1, model, 1, &BATCHES).remove(0);
        for ranks in [2, 3, 4] {
            let all = on_ranks(ranks, model, 1, &BATCHES);
            for (own, made) in &all {
                assert_eq!(*own, all[0].0, "the ranks differ");
                for (ours, expected) in own.iter().zip(&expected.0) {
                    assert!((ours - expected).abs() < 1e-9, "{ours} {expected}");
                }
                for (ours, expected) in made.iter().zip(&expected.1) {
                    assert!((ours.loss_sum - expected.loss_sum).abs() < 1e-9, "{ours:?} {expected:?}");
                    assert!((ours.total, ours.rows) == (expected.total, expected.rows), "{ours:?}");
                }
            }
        }
    }
}

#[test]
fn four_shards_have_the_same_bits_on_one_two_and_four_ranks() {
    for model in [COUPLED, INDEPENDENT] {
        let expected = on_ranks(1, model, 4, &BATCHES).remove(0);
        let whole = on_ranks(1, model, 1, &BATCHES).remove(0);
        assert_ne!(expected.0, whole.0, "nothing was added in another order");
        for (sharded, whole) in expected.0.iter().zip(&whole.0) {
            assert!((sharded - whole).abs() < 1e-9, "{sharded} {whole}");
        }
        for ranks in [2, 4] {
            for own in on_ranks(ranks, model, 4, &BATCHES) {
                assert_eq!(own, expected, "{ranks} ranks");
            }
        }
    }
}

#[test]
fn ranks_that_cannot_share_the_shards_are_refused() {
    for (ranks, shards) in [(3, 4), (8, 4), (6, 8)] {
        let refused =
            trainer_of(INDEPENDENT, 1, shards).with_ranks(Arc::new(ThreadRanks::new(ranks).remove(0)));
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("train.shards") && error.contains(&format!("{ranks} ranks")), "{error}");
    }
    for ranks in [2, 4] {
        let few =
            trainer_of(INDEPENDENT, 1, 1).with_ranks(Arc::new(ThreadRanks::new(ROWS + ranks).remove(0)));
        let error = few.unwrap().check(&data(None)).unwrap_err().to_string();
        assert!(error.contains("train.batch_size"), "{error}");
    }
}

#[test]
fn one_rank_works_gradients_out_without_the_others() {
    let (data, rows) = (data(None), [0, 1, 2, 3, 4, 5]);
    let of = |mut trainer: Trainer| trainer.gradients(&data, &rows, 1).unwrap();
    let whole = of(trainer_of(INDEPENDENT, 1, 1));
    // The other rank never comes: an exchange would wait for ever.
    let alone = trainer_of(INDEPENDENT, 1, 1).with_ranks(Arc::new(ThreadRanks::new(2).remove(0))).unwrap();
    for gradients in [of(trainer_of(INDEPENDENT, 1, 4)), of(alone)] {
        for ((name, own), (_, expected)) in gradients.iter().zip(&whole) {
            let difference = (own - expected).unwrap().abs().unwrap().max_all().unwrap();
            assert!(difference.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap() < 1e-12, "{name}");
        }
    }
}
