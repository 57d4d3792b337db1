//! Tables: CSV, JSONL and Parquet files of any size, read in bounded memory.
//!
//! A file is parsed once, on all cores, and its rows are kept as columns (`kept`). The first pass over these counts the
//! rows of each class (`census`), the second surveys the columns of the training rows (`survey`) so that a
//! [`crate::data::preprocess::TableEncoder`] can be fitted (`infer`, `fit`), the third encodes all rows (`parts`). Every
//! pass assigns the rows to their parts anew. After an error the passes run over the file row by row: it has the text of
//! the cell that the message shows.

mod batch;
mod batch_bytes;
mod cell_features;
mod cell_problems;
mod census;
mod collect;
mod column_names;
mod date_format;
mod date_survey;
pub(crate) mod dates;
mod disguise;
mod disguised_dates;
pub mod encode;
mod encode_all;
mod encoded_batch;
pub(crate) mod encoded_blocks;
mod encoded_size;
mod fit;
mod group;
mod grouped;
mod infer;
mod kept;
mod kind_problems;
mod load;
pub(in crate::data) mod moments;
mod na_values;
mod named;
mod number_forms;
mod number_sample;
mod opened;
mod options;
mod parts;
mod plain_number;
mod plan;
pub(crate) mod profile;
pub mod read;
mod roles;
pub(crate) mod row;
pub mod series;
mod shown;
mod survey;
mod target;
pub(crate) mod value;
mod wanted;
mod weight;
mod written;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::split::Part;
use super::{Loaded, Request, Source, WrittenRow};
use crate::error::Result;

pub use column_names::ColumnNames;
pub(crate) use date_format::written_like;
pub use dates::DateForm;
pub use encode::RowEncoder;
pub use na_values::NaValues;
pub use opened::Opened;
pub use options::{ColumnKind, Missing, Options, Test};
pub use row::Row;
pub use value::Value;

/// Declares the source of one table format.
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

            fn may_have_validation(&self) -> bool {
                self.0.split_column.is_some()
            }

            fn load(&self, request: &Request<'_>) -> Result<Loaded> {
                load::load(&self.0, $format, request)
            }

            fn written_rows(
                &self,
                request: &Request<'_>,
                part: Part,
                numbers: &[usize],
            ) -> Result<Vec<WrittenRow>> {
                written::rows(&self.0, $format, request, part, numbers)
            }
        }
    };
}

table! {
    /// A CSV file with a header.
    Csv, read::Format::Csv
}
table! {
    /// A file with one JSON object per line.
    Jsonl, read::Format::Jsonl
}
table! {
    /// A Parquet file.
    Parquet, read::Format::Parquet
}
