//! The same bits for any number of ranks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device};

use super::{Mpi, said, succeed, systems};
use crate::durability::{newest, result};
use crate::parquet_files::{Values, write_groups};

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
fn a_parquet_file_is_shared_out_to_any_number_of_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let rows: Vec<i32> = (0..900).collect();
    let xs = Values::Double(rows.iter().map(|row| f64::from(*row).sin()).collect());
    let names = Values::text(
        &rows.iter().map(|row| ["red", "green", "blue"][row.unsigned_abs() as usize % 3]).collect::<Vec<_>>(),
    );
    let ys = Values::Float(rows.iter().map(|row| [0.0, 1.0, 2.0][row.unsigned_abs() as usize % 3]).collect());
    let columns = [xs, names, ys];
    write_groups(&at("t.parquet"), "double x; binary n (UTF8); float y", &columns, 200);
    let config = "[data]\nname = 'parquet'\npath = 't.parquet'\ntarget = 'y'\ntest = 0.2\n[model]\nname = 'mlp'\n[loss]\n\
                  name = 'mse'\n[optimizer]\nname = 'adam'\n[train]\nbatch_size = 50\nepochs = 2\n";
    fs::write(at("c.toml"), config).unwrap();
    train(Mpi::Open, folder.path(), 1, &[&["c.toml", "--out", "1"][..], &SHARDS].concat());
    let expected = result(&at("1"));
    for mpi in Mpi::all() {
        for ranks in [2, 4] {
            let out = format!("{mpi:?}-{ranks}");
            train(mpi, folder.path(), ranks, &[&["c.toml", "--out", &out][..], &SHARDS].concat());
            require_equal(&result(&at(&out)), &expected, &out);
        }
    }
    // A page of the third row group is damaged: one error, and nothing is left.
    let mut bytes = fs::read(at("t.parquet")).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 400].fill(0xff);
    fs::write(at("t.parquet"), bytes).unwrap();
    let output = Mpi::Open.train(folder.path(), 2, &["c.toml", "--out", "damaged"]).output().unwrap();
    let said = said(&output);
    let errors = said.lines().filter(|line| line.starts_with("error: ") || line.starts_with("rank "));
    assert!(errors.count() == 1 && said.contains("the file is damaged"), "{said}");
    assert!(!output.status.success() && !at("damaged").exists());
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
