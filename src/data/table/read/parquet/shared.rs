//! Parquet that is read by several ranks together: each decodes every N-th row group, and gives its rows to the others.

use std::collections::VecDeque;

use super::batches::ParquetBatches;
use crate::data::table::batch::RecordBatch;
use crate::data::table::batch_bytes;
use crate::data::table::read::batches::{RecordBatchReader, WantedColumns};
use crate::data::table::read::dialect::Dialect;
use crate::data::table::read::input::Input;
use crate::distributed::{Communicator, gather};
use crate::error::{Error, Result};
use crate::files::Checksum;

/// Opens a file for all ranks; for each alone where they find different files by its path, or one row group.
///
/// # Errors
/// The file cannot be opened, by any of them.
pub(in crate::data::table::read) fn open<'a>(
    input: &Input,
    dialect: &Dialect,
    wanted: &WantedColumns,
    ranks: &'a dyn Communicator,
) -> Result<Box<dyn RecordBatchReader + 'a>> {
    let opened = ParquetBatches::open(input, dialect, wanted);
    let identity = opened.as_ref().ok().and_then(|_| identity(input).ok());
    // An identity is five numbers of 52 bits; a rank that has no such file says so by zeros.
    let all = gather(ranks, &identity.unwrap_or_default())?;
    let own = opened?;
    let is_same = all.iter().all(|other| *other == all[0] && other[0] > 0.0);
    if !is_same || own.groups().len() < 2 {
        return Ok(Box::new(own));
    }
    let group = |end: &mut u64, (number, rows): (usize, u64)| {
        *end = end.saturating_add(rows);
        Some(RowGroup { number, before: *end - rows, rows })
    };
    let groups = own.groups().into_iter().enumerate().scan(0, group).collect();
    Ok(Box::new(SharedBatches {
        own,
        ranks,
        groups,
        round: 0,
        step: 0,
        senders: VecDeque::new(),
        message: Ok(Vec::new()),
    }))
}

/// The SHA-256 of a file as exact floating-point numbers, the first of which is not 0. It is that of all bytes: what the ranks
/// make of the file together is the same on each, so that no later check would find that one of them has other rows.
fn identity(input: &Input) -> Result<[f64; 5]> {
    let Input::File(path) = input else { return Ok([0.0; 5]) };
    let digits = Checksum::of_file(path)?.sha256;
    let number = |at: usize| {
        let digits = digits.get(13 * at..(13 * at + 13).min(digits.len())).unwrap_or("0");
        #[allow(clippy::cast_precision_loss, reason = "52 bits")]
        let number = u64::from_str_radix(digits, 16).unwrap_or(0) as f64;
        number + f64::from(u8::from(at == 0))
    };
    Ok(std::array::from_fn(number))
}

/// A row group: its number, its rows, and those before it.
#[derive(Debug, Clone, Copy)]
struct RowGroup {
    number: usize,
    before: u64,
    rows: u64,
}

/// The batches of all ranks. In a round each rank has one row group, and in a step of it one batch of that, which it sends.
struct SharedBatches<'a> {
    own: ParquetBatches,
    ranks: &'a dyn Communicator,
    groups: Vec<RowGroup>,
    round: usize,
    step: u64,
    /// The ranks that have not sent their batch of this step yet, and this rank's.
    senders: VecDeque<usize>,
    message: Result<Vec<u8>>,
}

impl SharedBatches<'_> {
    /// The row groups of this round that have rows in this step, each with the rank that decodes it.
    fn in_step(&self) -> Vec<(usize, RowGroup)> {
        let (size, before) = (self.ranks.size(), self.step * self.own.most() as u64);
        let round = self.groups.iter().copied().skip(self.round * size).take(size);
        round.enumerate().filter(|(_, group)| group.rows > before).collect()
    }

    /// Decodes what is this rank's in the next step.
    fn begin_step(&mut self) {
        let (groups, own) = (self.in_step(), self.ranks.rank());
        if let Some((_, group)) = groups.iter().find(|(rank, _)| *rank == own) {
            self.message = self.decode(*group);
        }
        self.senders = groups.iter().map(|(rank, _)| *rank).collect();
        (self.round, self.step) =
            if groups.is_empty() { (self.round + 1, 0) } else { (self.round, self.step + 1) };
    }

    /// The next rows of this rank's row group, as a message.
    fn decode(&mut self, group: RowGroup) -> Result<Vec<u8>> {
        if self.step == 0 {
            self.own.go_to(group.number, group.before);
        }
        let batch = self.own.next()?.ok_or_else(unread)?;
        batch_bytes::encode(batch).map_err(|_| unread())
    }
}

impl RecordBatchReader for SharedBatches<'_> {
    fn columns(&self) -> &[String] {
        self.own.columns()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.senders.is_empty() && self.round * self.ranks.size() < self.groups.len() {
            self.begin_step();
        }
        let Some(sender) = self.senders.pop_front() else { return Ok(None) };
        let (mut message, mut failed) = (Vec::new(), None);
        if sender == self.ranks.rank() {
            match std::mem::replace(&mut self.message, Ok(Vec::new())) {
                Ok(own) => message = own,
                Err(error) => failed = Some(error),
            }
        }
        // A rank that has failed sends nothing, which ends the reading of all.
        self.ranks.broadcast_bytes(&mut message, sender).map_err(candle_core::Error::wrap)?;
        match (failed, batch_bytes::decode(&message)) {
            (Some(error), _) => Err(error),
            (None, batch) => batch.map(Some).map_err(|_| unread()),
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_on_all_ranks(&self, is_here: bool) -> Result<bool> {
        let all = gather(self.ranks, &[f64::from(u8::from(is_here))])?;
        Ok(all.iter().all(|rank| rank[0] > 0.0))
    }
}

/// The error of a rank that has sent no rows.
fn unread() -> Error {
    Error::OtherRank { code: 1 }
}
