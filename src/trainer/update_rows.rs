//! The rows of each update of an epoch.

use crate::data::Order;

/// The rows of an epoch's updates, one after the other.
#[derive(Debug, Clone)]
pub struct UpdateRows {
    order: Order,
    left: usize,
    update: usize,
}

impl UpdateRows {
    /// The first `rows` of an order, `update` at a time.
    pub(super) fn new(order: Order, rows: usize, update: usize) -> Self {
        Self { order, left: rows, update }
    }

    /// The rows that are to come.
    pub fn rows(&self) -> usize {
        self.left
    }
}

impl Iterator for UpdateRows {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        let rows = self.order.take(self.update.min(self.left));
        self.left -= rows.len();
        (!rows.is_empty()).then_some(rows)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let updates = self.left.div_ceil(self.update.max(1));
        (updates, Some(updates))
    }
}

impl ExactSizeIterator for UpdateRows {}
