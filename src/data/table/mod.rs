//! People's own tables: CSV, JSONL and Parquet files of any size, read in a few passes in bounded memory.
//!
//! A first pass counts classes where rows are held out by a share, a second one finds out what the columns of the
//! training rows hold (`survey`, `fit`), a third one encodes all rows
//! as that [`crate::data::preprocess::TableEncoder`] says. Which part a row
//! belongs to is worked out anew in every pass.

mod census;
mod collect;
pub mod encode;
mod fit;
mod infer;
mod layout;
mod load;
mod opened;
mod options;
mod pass;
pub mod read;
pub(crate) mod row;
pub mod series;
mod survey;
mod target;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Loaded, Request, Source};
use crate::error::Result;

pub use encode::RowEncoder;
pub use opened::Opened;
pub use options::{ColumnKind, Missing, Names, Options, Test};
pub use row::{Row, Value};

/// Declares a table of one format.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident, $format:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Options);

        impl Source for $name {
            fn place(&self) -> PathBuf {
                self.0.path.clone()
            }

            fn load(&self, request: &Request<'_>) -> Result<Loaded> {
                load::load(&self.0, $format, request)
            }
        }
    };
}

table! {
    /// A CSV file with a header.
    Csv, read::Format::Csv
}
table! {
    /// A file with a JSON object a line.
    Jsonl, read::Format::Jsonl
}
table! {
    /// A Parquet file.
    Parquet, read::Format::Parquet
}
