//! Rows that are encoded on all cores.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::encode::RowEncoder;

impl RowEncoder<'_> {
    /// Encodes items on all cores, each with an encoder that has seen no rows, and gives what they become to `take`, in order up
    /// to the first error.
    pub(super) fn encode_all<I: Send, T: Send, E: Send>(
        &mut self,
        items: Vec<I>,
        encode: impl Fn(I, &mut Self) -> Result<T, E> + Sync,
        mut take: impl FnMut(T),
    ) -> Result<(), E> {
        let fresh = self.without_odd_cells();
        let one = |item: I| {
            let mut encoder = fresh.clone();
            let made = encode(item, &mut encoder)?;
            encoder.end_batch();
            Ok((made, encoder))
        };
        let all: Vec<Result<(T, Self), E>> = match items.len() {
            1 => items.into_iter().map(one).collect(),
            _ => items.into_par_iter().map(one).collect(),
        };
        for encoded in all {
            let (made, encoder) = encoded?;
            self.add_odd_cells(encoder);
            take(made);
        }
        Ok(())
    }
}
