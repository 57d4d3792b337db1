//! The files in configs/ on both devices.

use std::path::Path;

use rayon::prelude::*;

use super::{configs, counted, folder, graph_options, numbers, train};
use crate::common::{repository, succeed};

/// In f32 three updates: later ones of Adam's on a few rows have followed the rounding elsewhere, on the CPU too. In f64
/// more.
#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn every_config_has_the_cpus_losses() {
    let folder = folder();
    // Several at once: each starts the program six times.
    configs().par_iter().for_each(|path| has_the_cpus_losses(folder.path(), path));
}

fn has_the_cpus_losses(folder: &Path, path: &Path) {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    for (dtype, steps, tolerance) in [("f32", 3, 1e-4), ("f64", 7, 1e-8)] {
        let dtype = format!("train.dtype=\"{dtype}\"");
        let steps = format!("train.max_steps={steps}");
        let options: [&str; 2] = [&dtype, &steps];
        let cpu = train(folder, path, "cpu", &options);
        for graph in graph_options() {
            let gpu = train(folder, path, "cuda", &[&options[..], &[&graph]].concat());
            // A bias in front of BatchNorm has no gradient but rounding, and Adam makes steps of it. In training that
            // changes no loss; in evaluation it does, until the running mean has caught up.
            let evaluated = if name.contains("norm") { &[][..] } else { &["train_end_loss", "test_loss"] };
            for number in ["train_loss"].iter().chain(evaluated) {
                let (expected, found) = (numbers(&cpu, number), numbers(&gpu, number));
                assert_eq!(expected.len(), found.len(), "{name}");
                for (a, b) in expected.iter().zip(found) {
                    let off = (a - b).abs() / a.abs();
                    assert!(off <= tolerance, "{name}, {dtype}, {graph}, {number}: {a} and {b}, {off}");
                }
            }
        }
    }
}

/// Bins of numbers, dropout and the average of the weights, for classes and for values.
#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn what_init_suggests_has_the_cpus_losses() {
    let folder = folder();
    let tables = [("breast-cancer", "diagnosis"), ("wine", "cultivar"), ("diabetes", "progression")];
    tables.par_iter().for_each(|(name, target)| {
        let (table, config) = (format!("tests/tables/{name}.csv"), format!("{name}.toml"));
        succeed(folder.path(), &["init", &table, "--target", target, "-o", &config]);
        has_the_cpus_losses(folder.path(), &folder.path().join(config));
    });
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn precisions_are_those_of_the_products() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    for precision in ["tf32", "bf16"] {
        let precision = format!("train.precision=\"{precision}\"");
        let options = [precision.as_str(), "train.max_steps=3"];
        let [cpu, gpu] = ["cpu", "cuda"].map(|device| train(folder.path(), &config, device, &options));
        let (cpu, gpu) = (numbers(&cpu, "train_loss"), numbers(&gpu, "train_loss"));
        // Factors of 7 or 10 bits; on the CPU tf32 is f32.
        assert!(cpu.iter().zip(&gpu).all(|(a, b)| (a - b).abs() <= 1e-2 * a.abs()), "{cpu:?} {gpu:?}");
        if let Some(counted) = counted(folder.path(), config.to_str().unwrap(), &options) {
            let products = counted
                [if precision.contains("tf32") { "products in tf32" } else { "products in bf16" }]
            .as_i64();
            assert!(products > Some(10), "{counted}");
        }
    }
}
