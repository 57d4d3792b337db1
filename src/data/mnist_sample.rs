//! A sample of MNIST embedded in the binary: the first 5,000 training and the first 1,000 test images. CC BY-SA 3.0.
//! `scripts/make-sample.py` made the files from the full set.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mnist::{IdxOptions, IdxSplits};
use super::{Loaded, MemoryLimit, Request, Source, idx, mnist};
use crate::error::Result;

/// The embedded sample; it has no options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MnistSample {}

macro_rules! embedded {
    ($name:literal) => {
        include_bytes!(concat!("mnist-sample/", $name, ".gz"))
    };
}

impl Source for MnistSample {
    fn place(&self) -> PathBuf {
        PathBuf::from("mnist-sample")
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        let options = IdxOptions::new(request, 10, MemoryLimit::of_free());
        let rows = |images: &[u8], labels: &[u8]| {
            let files = (idx::from_bytes(images, 3)?, idx::from_bytes(labels, 1)?);
            mnist::rows(files, options, Path::new("mnist-sample"))
        };
        let train = rows(embedded!("train-images-idx3-ubyte"), embedded!("train-labels-idx1-ubyte"))?;
        let test = rows(embedded!("t10k-images-idx3-ubyte"), embedded!("t10k-labels-idx1-ubyte"))?;
        Ok(mnist::whole(IdxSplits { train, test: Some(test) }, 10, MemoryLimit::of_free()))
    }
}
