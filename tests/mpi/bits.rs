//! The same bits for any number of ranks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device};

use super::{Mpi, succeed, systems};
use crate::durability::{newest, result};

const SHARDS: [&str; 2] = ["--set", "train.shards=4"];

/// Trains the config in `c.toml` quietly, on so many ranks.
fn train(mpi: Mpi, folder: &Path, ranks: usize, arguments: &[&str]) {
    succeed(&mut mpi.train(folder, ranks, &[&["-q"], arguments].concat()));
}

fn require_equal(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, name: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (file, bytes) in found {
        assert!(*bytes == expected[file], "{name}: {file} differs");
    }
}

#[test]
fn one_two_and_four_ranks_have_the_same_bits_with_four_shards() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, config) in systems() {
        fs::write(at("c.toml"), config).unwrap();
        let whole = format!("{name}-1");
        train(Mpi::Open, folder.path(), 1, &[&["c.toml", "--out", &whole][..], &SHARDS].concat());
        let expected = result(&at(&whole));
        for mpi in Mpi::all() {
            for ranks in [2, 4] {
                let out = format!("{name}-{mpi:?}-{ranks}");
                train(mpi, folder.path(), ranks, &[&["c.toml", "--out", &out][..], &SHARDS].concat());
                require_equal(&result(&at(&out)), &expected, &out);
            }
        }
    }
}

#[test]
fn a_run_goes_on_at_any_step_with_another_number_of_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (index, (name, config)) in systems().into_iter().enumerate() {
        fs::write(at("c.toml"), config).unwrap();
        let whole = format!("{name}-whole");
        train(Mpi::Open, folder.path(), 1, &[&["c.toml", "--out", &whole][..], &SHARDS].concat());
        let expected = result(&at(&whole));
        let last: u64 = newest(&at(&whole)).to_string_lossy().rsplit_once('-').unwrap().1.parse().unwrap();
        // Within the first epoch, at about its end, later.
        let step = [1, 7, 10, last - 1][index % 4].min(last - 1).max(1);
        let limit = format!("train.max_steps={step}");
        for (first, second) in [(1, 4), (4, 2), (2, 1)] {
            let out = format!("{name}-{first}-{second}");
            let begin = [&["c.toml", "--out", &out, "--set", &limit][..], &SHARDS].concat();
            train(Mpi::Open, folder.path(), first, &begin);
            train(Mpi::Open, folder.path(), second, &["--resume", &out, "--set", "train.max_steps=0"]);
            require_equal(&result(&at(&out)), &expected, &format!("{out}, stopped at {step}"));
        }
    }
}

/// The weights of a run.
fn weights(run: &Path) -> Vec<f64> {
    let state = candle_core::safetensors::load(run.join("model.safetensors"), &Device::Cpu).unwrap();
    let sorted: BTreeMap<_, _> = state.into_iter().collect();
    let wide = |tensor: candle_core::Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    sorted.into_values().flat_map(|tensor| wide(tensor).to_vec1::<f64>().unwrap()).collect()
}

#[test]
fn without_shards_ranks_differ_by_rounding_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, config) in systems() {
        fs::write(at("c.toml"), config).unwrap();
        let options = ["--set", "train.dtype='f64'", "--set", "train.max_steps=12"];
        train(Mpi::Open, folder.path(), 1, &[&["c.toml", "--out", &name][..], &options].concat());
        let expected = weights(&at(&name));
        for ranks in [2, 3] {
            let out = format!("{name}-{ranks}");
            train(Mpi::Open, folder.path(), ranks, &[&["c.toml", "--out", &out][..], &options].concat());
            for (ours, expected) in weights(&at(&out)).iter().zip(&expected) {
                assert!((ours - expected).abs() < 1e-8, "{out}: {ours} {expected}");
            }
        }
    }
}
