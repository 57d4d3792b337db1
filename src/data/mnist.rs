//! MNIST, or any set in its format, from a folder of four IDX files. `LeCun`, Cortes and Burges.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::idx::{self, Idx};
use super::{Loaded, Rows, Source, Want, fetch};
use crate::error::{Error, Result};

const CLASSES: usize = 10;

/// The full set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mnist {
    /// The folder of the four IDX files, gzipped or not; left out: the one that `descent data fetch mnist` fills.
    pub path: Option<PathBuf>,
}

impl Source for Mnist {
    fn place(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| fetch::folder("mnist"))
    }

    fn load(&self, want: Want, _: u64) -> Result<Loaded> {
        let folder = self.place();
        let [train, test] = ["train", "t10k"].map(|split| {
            let (images, labels) = (find(&folder, split, "images", 3)?, find(&folder, split, "labels", 1)?);
            rows(idx::read(&images, 3)?, idx::read(&labels, 1)?, want, &labels)
        });
        Ok(Loaded { train: train?, test: Some(test?), outputs: CLASSES, ordered: false })
    }
}

/// The file of one split, under the names that it is known by.
fn find(folder: &Path, split: &str, part: &str, rank: usize) -> Result<PathBuf> {
    let names = [
        format!("{split}-{part}-idx{rank}-ubyte"),
        format!("{split}-{part}.idx{rank}-ubyte"),
        format!("{split}-{part}-idx{rank}-ubyte.gz"),
        format!("{split}-{part}.idx{rank}-ubyte.gz"),
    ];
    names.iter().map(|name| folder.join(name)).find(|path| path.exists()).ok_or_else(|| {
        Error::data(
            folder,
            format!(
                "there is no `{}` (or .gz) here; `descent data fetch mnist` or scripts/fetch-mnist.sh brings it, and \
                 `data.path` names another folder",
                names[0]
            ),
        )
    })
}

/// Images and labels as rows; `path` is the labels' file, for messages.
pub(super) fn rows(images: Idx, labels: Idx, want: Want, path: &Path) -> Result<Rows> {
    if !want.classes() {
        return Err(Error::key(
            "loss.name",
            "compares numbers, but this data set has classes; set it to `cross_entropy`",
        ));
    }
    let (count, labelled) = (images.shape[0], labels.shape[0]);
    if count != labelled {
        let problem = format!("{labelled} labels for {count} images; the two files are not of one set");
        return Err(Error::data(path, problem));
    }
    if count == 0 {
        return Err(Error::data(path, "no rows; is this the right file?"));
    }
    if let Some((row, label)) =
        labels.bytes.iter().enumerate().find(|(_, label)| usize::from(**label) >= CLASSES)
    {
        let problem = format!("label {label} of row {row} is outside the classes 0 to {}", CLASSES - 1);
        return Err(Error::data(path, problem));
    }
    let labels: Vec<i64> = labels.bytes.into_iter().map(i64::from).collect();
    Ok(Rows {
        xs: Tensor::from_vec(images.bytes, images.shape, &Device::Cpu)?,
        ys: Tensor::from_vec(labels, count, &Device::Cpu)?,
    })
}
