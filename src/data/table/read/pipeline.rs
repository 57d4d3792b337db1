//! Blocks of a table that are parsed on all cores while the next ones are read.

use std::collections::VecDeque;

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use super::blocks::{Block, Blocks};
use crate::error::{Error, Result};

/// The most blocks that are parsed together.
const MOST: usize = 16;

/// Parsed blocks in their order, which does not depend on the number of threads.
pub(super) struct Pipeline<T> {
    blocks: Blocks,
    /// What was read and not parsed yet.
    ahead: Vec<Block>,
    ended: bool,
    /// Why reading ended.
    failed: Option<Error>,
    parsed: VecDeque<T>,
}

impl<T: Send> Pipeline<T> {
    pub(super) fn new(blocks: Blocks) -> Self {
        Self { blocks, ahead: Vec::new(), ended: false, failed: None, parsed: VecDeque::new() }
    }

    /// The next block, parsed; none at the end.
    pub(super) fn next(&mut self, parse: &(impl Fn(&mut Block) -> T + Sync)) -> Result<Option<T>> {
        loop {
            if let Some(parsed) = self.parsed.pop_front() {
                return Ok(Some(parsed));
            }
            if self.ahead.is_empty() {
                self.read(2);
            }
            let mut blocks = std::mem::take(&mut self.ahead);
            match blocks.pop() {
                None => return self.failed.take().map_or(Ok(None), Err),
                // Small tables need no threads.
                Some(mut block) if self.ended && blocks.is_empty() => return Ok(Some(parse(&mut block))),
                Some(block) => blocks.push(block),
            }
            let most = (2 * rayon::current_num_threads()).min(MOST);
            let all = || blocks.par_iter_mut().map(parse).collect::<Vec<T>>();
            let (parsed, ()) = rayon::join(all, || self.read(most));
            self.parsed = parsed.into();
            self.blocks.recycle(blocks);
        }
    }

    /// Reads up to so many blocks ahead.
    fn read(&mut self, most: usize) {
        while !self.ended && self.ahead.len() < most {
            match self.blocks.next() {
                Ok(Some(block)) => self.ahead.push(block),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                }
            }
        }
    }
}
