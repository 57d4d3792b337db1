//! What several tests need.
//!
//! A test binary that was carried to another machine, without cargo, is told where things are: `DESCENT_TEST_ROOT` is the
//! folder with the repository's files that tests read, `DESCENT_TEST_PROGRAM` the program. `DESCENT_TEST_DEVICE=cuda` runs
//! on the first GPU, `DESCENT_TEST_GRAPH=true` or `false` with or without CUDA graphs there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use candle_core::{Device, Shape, Tensor};
use descent::config::Config;
use descent::data::{Affine, Dataset};
use descent::model::{Network, NetworkOptions};
use descent::optim::Optimizer;
use descent::rng::{Purpose, Stream};
use descent::trainer::Trainer;
use rand::Rng as _;
use rand_distr::StandardNormal;

/// A section that names a source which is never read: the test brings its own rows.
const NO_DATA: &str = "[data]\nname = 'npz'\npath = 'none.npz'\n";

/// The config of these sections, `[data]` left out.
pub(crate) fn config(sections: &str) -> Config {
    Config::parse(&format!("{NO_DATA}{sections}"), "test", &[]).unwrap()
}

/// Where training runs: the CPU, or with `DESCENT_TEST_DEVICE=cuda` the first GPU.
pub(crate) fn device() -> Device {
    match std::env::var("DESCENT_TEST_DEVICE").as_deref() {
        Ok("cuda") => descent::kernels::cuda::device(0).unwrap(),
        _ => Device::Cpu,
    }
}

/// Rows as a data set of the config's dtype.
pub(crate) fn dataset(config: &Config, xs: &Tensor, ys: &Tensor) -> Dataset {
    dataset_on(&device(), config, xs, ys)
}

/// The same on this device.
pub(crate) fn dataset_on(device: &Device, config: &Config, xs: &Tensor, ys: &Tensor) -> Dataset {
    Dataset::new(xs, ys, Affine::IDENTITY, config.train.dtype.into(), device).unwrap()
}

/// A trainer of the config on rows of this shape.
pub(crate) fn trainer(config: &Config, row_shape: &[usize], outputs: usize) -> Trainer {
    trainer_on(&device(), config, row_shape, outputs)
}

/// The same on this device.
pub(crate) fn trainer_on(device: &Device, config: &Config, row_shape: &[usize], outputs: usize) -> Trainer {
    let options = NetworkOptions::new(config.train.dtype.into(), device);
    let network = Network::new(&config.model, row_shape, outputs, config.seed, options).unwrap();
    let optimizer =
        Optimizer::new(config.optimizer.clone(), config.schedule.clone(), network.params()).unwrap();
    let mut train = config.train.clone();
    train.cuda_graph = graph().unwrap_or(train.cuda_graph);
    Trainer::new(network, config.loss.clone(), optimizer, train, config.seed).unwrap()
}

/// Normally distributed numbers, the same for the same seed.
pub(crate) fn normal(seed: u64, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let draws = Stream::new(seed, Purpose::Data, 0).sample_iter::<f64, _>(StandardNormal);
    let values: Vec<f64> = draws.take(shape.elem_count()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The largest difference of two tensors, relative to the largest element of the second. Where that is zero but for
/// rounding, as the gradient of a bias before BatchNorm is, the first must be too.
pub(crate) fn relative_difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    let flat = |t: &Tensor| {
        t.to_dtype(candle_core::DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap()
    };
    assert_eq!(ours.dims(), theirs.dims());
    let (ours, theirs) = (flat(ours), flat(theirs));
    let largest = theirs.iter().fold(0f64, |largest, x| largest.max(x.abs()));
    let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    let difference =
        differences.fold(0f64, |largest, d| if d.is_nan() { f64::INFINITY } else { largest.max(d) });
    if largest < 1e-14 { difference } else { difference / largest }
}

/// Whether tests on a GPU are to use CUDA graphs; nothing where no one says.
pub(crate) fn graph() -> Option<bool> {
    let asked = std::env::var("DESCENT_TEST_GRAPH").ok()?;
    Some(asked.parse().expect("DESCENT_TEST_GRAPH is true or false"))
}

/// A folder of this repository.
pub(crate) fn repository(part: &str) -> PathBuf {
    // Asked for when the test runs: a target folder that two checkouts share may hold the other one's binary.
    let asked = ["DESCENT_TEST_ROOT", "CARGO_MANIFEST_DIR"].into_iter().find_map(std::env::var_os);
    let root = asked.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&root).join(part)
}

/// The program's file.
pub(crate) fn executable() -> PathBuf {
    std::env::var_os("DESCENT_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_descent").into()).into()
}

/// Every config of `configs/`, by path.
pub(crate) fn configs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository("configs")).unwrap().map(|entry| entry.unwrap().path());
    let mut configs: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    assert!(configs.len() >= 13, "configs/ was not found");
    configs.sort();
    configs
}

/// The program with these arguments in `folder`.
pub(crate) fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.args(arguments).current_dir(folder).env_remove("DESCENT_DATA");
    // Backtraces must not reach users even where they are asked for.
    command.env("RUST_BACKTRACE", "1");
    command
}

/// Runs the program in `folder`.
pub(crate) fn descent(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

/// Standard output of a run that must succeed.
pub(crate) fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = descent(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program says on standard error, where it succeeds.
pub(crate) fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = descent(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// The error of a run that must fail with this exit code: one sentence, no backtrace.
pub(crate) fn fail(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = descent(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{arguments:?}: {text}");
    assert_eq!(text.lines().last(), Some(errors[0]), "the error is the last line");
    assert!(!text.contains("panicked") && !text.contains("stack backtrace"), "{text}");
    errors[0].to_owned()
}
