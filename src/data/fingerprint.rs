//! A fingerprint of a run's rows, to notice changed data on resume.

use std::thread::{self, JoinHandle};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::dataset::Content;
use super::{Affine, Dataset, Splits};
use crate::error::Result;
use crate::files::hex;
use crate::kernels::bytes;

/// A fingerprint of all splits as training sees them: limited, split and normalised, independent of the file's path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The training split.
    pub train: SplitFingerprint,
    /// The validation split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<SplitFingerprint>,
    /// The test split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<SplitFingerprint>,
}

/// A fingerprint of one split.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFingerprint {
    /// The number of rows.
    pub rows: u64,
    /// The shape of a row.
    pub shape: Vec<usize>,
    /// The SHA-256 of inputs, normalisation and targets.
    pub sha256: String,
}

impl Fingerprint {
    /// The fingerprint of these splits. Reads every row once.
    pub fn of(splits: &Splits) -> Result<Self> {
        let optional = |data: &Option<Dataset>| data.as_ref().map(SplitFingerprint::of).transpose();
        Ok(Self {
            train: SplitFingerprint::of(&splits.train)?,
            validation: optional(&splits.validation)?,
            test: optional(&splits.test)?,
        })
    }

    /// A sentence about the difference from `other`, if there is one.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let splits = [
            ("training", Some(&self.train), Some(&other.train)),
            ("validation", self.validation.as_ref(), other.validation.as_ref()),
            ("test", self.test.as_ref(), other.test.as_ref()),
        ];
        let differs = splits.into_iter().filter(|(_, then, now)| then != now).map(|(name, then, now)| {
            let described = |split: Option<&SplitFingerprint>| {
                split.map_or("none".to_owned(), |s| format!("{} of shape {:?}", s.rows, s.shape))
            };
            let (before, after) = (described(then), described(now));
            if before == after {
                let sum = |split: Option<&SplitFingerprint>| split.map_or("", |s| &s.sha256[..8]).to_owned();
                format!("the {name} rows have other values (SHA-256 {}… then, {}… now)", sum(then), sum(now))
            } else {
                format!("the {name} rows were {before}, and are {after}")
            }
        });
        let differences: Vec<String> = differs.collect();
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}

/// A fingerprint that a thread of its own computes, beside the first updates.
#[derive(Debug)]
pub struct PendingFingerprint(JoinHandle<Result<Fingerprint>>);

impl PendingFingerprint {
    /// Starts with these rows; nothing where the system has no thread to spare.
    pub fn start(splits: &Splits) -> Option<Self> {
        // Clones share the rows.
        let splits = splits.clone();
        thread::Builder::new()
            .name("fingerprint".to_owned())
            .spawn(move || Fingerprint::of(&splits))
            .ok()
            .map(Self)
    }

    /// The fingerprint, as soon as it is there; nothing where the thread came to an end without it.
    pub fn wait(self) -> Option<Result<Fingerprint>> {
        self.0.join().ok()
    }
}

impl SplitFingerprint {
    fn of(data: &Dataset) -> Result<Self> {
        let mut hash = Sha256::new();
        data.for_each_content(&mut |content| match content {
            Content::Head(dtype, dims) => {
                hash.update(format!("{dtype:?} {dims:?}"));
                Ok(())
            }
            Content::Rows(tensor) => Ok(bytes::for_each(tensor, |bytes| hash.update(bytes))?),
        })?;
        let Affine { scale, shift } = data.affine();
        hash.update([scale.to_le_bytes(), shift.to_le_bytes()].concat());
        let shape = data.row_shape().to_vec();
        Ok(Self { rows: data.len() as u64, shape, sha256: hex(&hash.finalize()) })
    }
}
