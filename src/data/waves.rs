//! A generated series for sequence models: noisy sine waves whose next value is predicted. It needs no file; the seed
//! determines it.

use std::path::PathBuf;

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bytes, Loaded, MemoryLimit, RawRows, Request, Rows, Source};
use crate::error::{Error, Result};
use crate::names::counted;
use crate::rng::{Purpose, Stream};

/// A series of `features` noisy sine waves of different periods; each row is a window of it, (T, F), and the target
/// is the next value of the first wave. The last fifth of the windows, in time, is the test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Waves {
    /// The number of windows, training and test together.
    #[schemars(range(min = 5))]
    pub rows: usize,
    /// The number of steps in a window.
    #[schemars(range(min = 1))]
    pub window: usize,
    /// The number of waves.
    #[schemars(range(min = 1))]
    pub features: usize,
    /// The standard deviation of the noise; the waves have amplitude 1.
    #[schemars(range(min = 0))]
    pub noise: f64,
}

impl Default for Waves {
    fn default() -> Self {
        Self { rows: 5000, window: 5, features: 10, noise: 0.1 }
    }
}

impl Source for Waves {
    fn place(&self) -> PathBuf {
        PathBuf::from("waves")
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if request.task.classes() {
            return Err(Error::key(
                "loss.name",
                "is for classes, but `waves` has numeric targets; set it to `mse`",
            ));
        }
        self.check()?;
        let series = self.series(request.seed);
        let test = self.rows / 5;
        Ok(Loaded::Raw(RawRows {
            train: self.windows(&series, 0..self.rows - test)?,
            validation: None,
            test: Some(self.windows(&series, self.rows - test..self.rows)?),
            test_share: 0.0,
            outputs: 1,
            ordered: true,
            pictures: None,
            bytes: Bytes::default(),
            room: MemoryLimit::of_free(),
        }))
    }
}

impl Waves {
    /// Validates the options before anything is generated.
    fn check(&self) -> Result<()> {
        if self.rows < 5
            || self.window == 0
            || self.features == 0
            || !self.noise.is_finite()
            || self.noise < 0.0
        {
            let problem = "`waves` needs rows ≥ 5, window ≥ 1, features ≥ 1 and a noise ≥ 0";
            return Err(Error::Config(problem.to_owned()));
        }
        let steps = self.rows.checked_add(self.window).and_then(|steps| steps.checked_mul(self.features));
        let windows = self.rows.checked_mul(self.window).and_then(|steps| steps.checked_mul(self.features));
        if [steps, windows].iter().any(|count| count.is_none_or(|count| count > 1 << 28)) {
            let problem = format!(
                "`waves` of {} of {} x {} does not fit into memory",
                counted(self.rows, "window"),
                self.window,
                self.features
            );
            return Err(Error::Config(problem));
        }
        Ok(())
    }

    /// The series, step by step, (rows + window, features).
    #[allow(clippy::cast_precision_loss, reason = "steps and features are small numbers")]
    fn series(&self, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, Purpose::Data, 0);
        let phases: Vec<f64> = (0..self.features).map(|_| stream.random_range(0.0..1.0)).collect();
        let mut series = Vec::with_capacity((self.rows + self.window) * self.features);
        for t in 0..self.rows + self.window {
            for (feature, phase) in phases.iter().enumerate() {
                let period = 20.0 + 7.0 * feature as f64;
                let wave = (std::f64::consts::TAU * (t as f64 / period + phase)).sin();
                let noise: f64 = stream.sample(StandardNormal);
                series.push(wave + self.noise * noise);
            }
        }
        series
    }

    fn windows(&self, series: &[f64], rows: std::ops::Range<usize>) -> Result<Rows> {
        let shape = (rows.len(), self.window, self.features);
        let mut xs = Vec::with_capacity(shape.0 * shape.1 * shape.2);
        let mut ys = Vec::with_capacity(shape.0);
        for start in rows {
            let end = (start + self.window) * self.features;
            xs.extend_from_slice(&series[start * self.features..end]);
            ys.push(series[end]);
        }
        Ok(Rows {
            xs: Tensor::from_vec(xs, shape, &Device::Cpu)?,
            ys: Tensor::from_vec(ys, (shape.0, 1), &Device::Cpu)?,
            weights: None,
        })
    }
}
