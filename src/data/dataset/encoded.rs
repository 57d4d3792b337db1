//! Data sets of rows that a source has encoded.

use candle_core::{DType, Device};

use super::Dataset;
use crate::data::subtract_last::SubtractLast;
use crate::data::{EncodedRows, Rows, WindowedRows, Windows};
use crate::error::Result;
use crate::kernels::gather::Affine;

impl Dataset {
    /// A data set of encoded rows, with their weights, windows and baselines. `subtract`: the values to subtract from windows.
    pub(in crate::data) fn of_encoded(
        rows: EncodedRows,
        subtract: Option<SubtractLast>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let of_memory = |Rows { xs, ys, weights }: Rows| -> Result<Self> {
            Ok(Self::new(&xs, &ys, Affine::IDENTITY, dtype, device)?.with_weights(weights))
        };
        match rows {
            EncodedRows::Memory(rows) => of_memory(rows),
            EncodedRows::File(stored) => {
                let weights = stored.weights();
                Ok(Self::stored(stored, dtype, device).with_weights(weights))
            }
            EncodedRows::Windows(Windows { rows, steps, starts, last, baselines }) => {
                let data = match rows {
                    WindowedRows::Memory(rows) => of_memory(rows)?,
                    WindowedRows::File(stored) => Self::stored(stored, dtype, device),
                };
                let row = [&[steps], data.row_shape()].concat();
                let data = data.with_row_shape(&row).with_starts(starts).with_baselines(baselines);
                data.with_last(subtract, last)
            }
        }
    }
}
