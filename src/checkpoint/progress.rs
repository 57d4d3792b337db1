//! `progress.toml`: a run's progress, and the checksums of its files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::Fingerprint;
use crate::data::preprocess::EmbeddingSize;
use crate::files::Checksum;
use crate::optim::schedule::reduce_on_plateau::Plateau;

/// The version of the layout that is written and read.
const VERSION: u32 = 1;

/// The key of the first line, the checksum of all that follows it.
const KEY: &str = "sha256 = \"";

/// A run's progress. With the tensors and the config it is all that an exact resume needs: there is no random state,
/// because randomness is a function of seed, epoch and step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The version of the layout.
    pub version: u32,
    /// The resolved config.
    pub config: String,
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The updates made.
    pub step: u64,
    /// The updates made in this epoch.
    pub step_in_epoch: u64,
    /// The seconds that training took so far.
    pub seconds: f64,
    /// The batches that were skipped in the epochs that are over, because no row of them counts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// The epoch's sums so far, if the checkpoint was saved within an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Sums>,
    /// The best epoch so far.
    #[serde(default, rename = "judged")]
    pub best_state: BestState,
    /// The state of `reduce_on_plateau`.
    #[serde(default)]
    pub plateau: Plateau,
    /// Why an update was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Identifies the training rows.
    pub data: Fingerprint,
    /// The checksum of `metrics.jsonl` at this point.
    pub log: Checksum,
    /// The files of this checkpoint.
    pub files: BTreeMap<String, Checksum>,
}

/// Sums over an epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// The sum of the losses of its rows, each before its own update.
    pub loss: f64,
    /// The divisor that makes that sum the mean.
    pub total: f64,
    /// The rows.
    pub rows: u64,
    /// The last learning rate.
    pub lr: f64,
    /// The seconds.
    pub seconds: f64,
    /// The batches that were skipped, because no row of them counts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// The norms of the gradients.
    #[serde(default)]
    pub norms: NormSums,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Sums over the updates of an epoch whose gradients' norm was computed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormSums {
    /// The sum of the norms, before clipping.
    pub sum: f64,
    /// The updates.
    pub count: u64,
    /// The updates whose gradients were clipped.
    pub clipped: u64,
}

/// An update that was not made because something left the finite numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// "loss", or "norm of the gradients".
    pub what: String,
    /// The value, NaN or infinite.
    pub value: f64,
    /// The update that would have been made, counted from 1.
    pub step: u64,
    /// The learning rate at that step.
    pub lr: f64,
    /// The seed of the run.
    pub seed: u64,
    /// The first layer, forward or backward, whose values are not finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The outputs of the network per row.
    pub outputs: usize,
    /// The embeddings of categorical columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<EmbeddingSize>,
    /// The features of a row, or of a step, with those columns.
    #[serde(default)]
    pub features: usize,
    /// The places of the numerical features among them, of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerical: Option<Vec<usize>>,
}

/// The best epoch, and the last that improved by `min_delta`. A higher score is better.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestState {
    /// The metric.
    #[serde(default)]
    pub monitor: String,
    /// The best epoch, whose weights are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<EpochScore>,
    /// The last epoch that improved by `min_delta`; patience counts from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub improved: Option<EpochScore>,
}

/// An epoch and its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochScore {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// Its score.
    pub score: f64,
}

impl Progress {
    /// The text of the file, its own checksum first.
    pub fn to_text(&self) -> Result<String, String> {
        let body = toml::to_string(&Self { version: VERSION, ..self.clone() }).map_err(|e| e.to_string())?;
        Ok(format!("{KEY}{}\"\n{body}", Checksum::of(body.as_bytes()).sha256))
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (sum, body) = text
            .strip_prefix(KEY)
            .and_then(|rest| rest.split_once("\"\n"))
            .ok_or("it does not begin with its sum")?;
        let own = Checksum::of(body.as_bytes()).sha256;
        if own != sum {
            return Err(format!("its SHA-256 is {own}, not {}: it is damaged", sum.escape_debug()));
        }
        let progress: Self = toml::from_str(body).map_err(|e| e.message().to_owned())?;
        if progress.version != VERSION {
            return Err(format!("it has version {}, and {VERSION} is read", progress.version));
        }
        Ok(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        let numbers: [f64; 6] = [0.1 + 0.2, 1e-300, -2.5e17, f64::MIN_POSITIVE / 8.0, 1.0 / 3.0, -0.0];
        Progress {
            version: VERSION,
            config: "seed = 1\n[data]\nname = '\"\"\"'\n".to_owned(),
            epoch: 3,
            seconds: numbers[4],
            within: Some(Sums {
                loss: numbers[0],
                total: numbers[1],
                rows: 7,
                lr: numbers[3],
                ..Sums::default()
            }),
            best_state: BestState {
                monitor: "val_loss".to_owned(),
                best: Some(EpochScore { epoch: 1, score: numbers[2] }),
                improved: Some(EpochScore { epoch: 2, score: numbers[5] }),
            },
            ..Progress::default()
        }
    }

    #[test]
    fn numbers_come_back_to_the_bit() {
        let progress = progress();
        let back = Progress::parse(&progress.to_text().unwrap()).unwrap();
        assert_eq!(back, progress);
        let bits = |p: &Progress| {
            let within = p.within.unwrap();
            [within.loss, within.total, within.lr, p.best_state.improved.unwrap().score].map(f64::to_bits)
        };
        assert_eq!(bits(&back), bits(&progress));
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_seen() {
        let text = progress().to_text().unwrap();
        for length in 0..text.len() {
            assert!(Progress::parse(&text[..length]).is_err());
        }
        for bit in 0..8 * text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refused = String::from_utf8(bytes).map_or(true, |text| Progress::parse(&text).is_err());
            assert!(refused, "bit {bit}");
        }
        assert!(Progress::parse(&format!("{text}\n")).is_err());
    }
}
