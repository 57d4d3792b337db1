//! Rows are read, scored and written at the same time, each in a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use tracing::{Dispatch, dispatcher};

use super::keyed_rows::{KeyedRows, See, SeeRows};
use super::keys::KeyCell;
use super::scores::{KeyedScores, RowScores, SeeScores};
use crate::error::{Error, Result};

/// The batches of rows that wait between two threads.
const WAITING: usize = 2;

/// What a reader has read.
enum ReadMessage {
    Keys(Vec<String>),
    Rows { path: PathBuf, rows: KeyedRows },
}

/// What is to be written.
enum WriteMessage {
    Keys(Vec<String>),
    Rows { scores: RowScores, keys: Vec<KeyCell> },
}

/// Calls `see` with the scores of all rows that `read` reads, which `score` scores in this thread.
///
/// # Errors
/// Of `read`, `score` and `see` the one that comes first in the order of the rows.
pub(super) fn overlapped(
    read: impl FnOnce(&mut See<'_>) -> Result<()> + Send,
    mut score: impl FnMut(&Path, KeyedRows) -> Result<KeyedScores>,
    see: &mut (dyn SeeScores + Send),
) -> Result<()> {
    let (to_score, rows) = sync_channel(WAITING);
    let (to_write, scored) = sync_channel(WAITING);
    let log = &dispatcher::get_default(Dispatch::clone);
    thread::scope(|scope| {
        let reader = scope.spawn(move || dispatcher::with_default(log, || read(&mut RowSender(to_score))));
        let writer = scope.spawn(move || dispatcher::with_default(log, || write(scored, see)));
        let scored = score_all(rows, &to_write, &mut score);
        drop(to_write);
        let (written, read) = (join(writer), join(reader));
        // A thread that ends early ends those before it, too.
        written.and(scored).and(read)
    })
}

/// Scores the rows that come, until there are no more or nobody takes their scores.
fn score_all(
    rows: Receiver<ReadMessage>,
    to_write: &SyncSender<WriteMessage>,
    score: &mut impl FnMut(&Path, KeyedRows) -> Result<KeyedScores>,
) -> Result<()> {
    for message in rows {
        let message = match message {
            ReadMessage::Keys(names) => WriteMessage::Keys(names),
            ReadMessage::Rows { path, rows } => {
                let KeyedScores { scores, keys } = score(&path, rows)?;
                WriteMessage::Rows { scores, keys }
            }
        };
        if to_write.send(message).is_err() {
            break;
        }
    }
    Ok(())
}

fn write(scored: Receiver<WriteMessage>, see: &mut (dyn SeeScores + Send)) -> Result<()> {
    for message in scored {
        match message {
            WriteMessage::Keys(names) => see.keys(&names)?,
            WriteMessage::Rows { scores, keys } => see.scores(scores, &keys)?,
        }
    }
    Ok(())
}

/// The outcome of a thread; its panic is one of this thread.
fn join(thread: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Hands rows on to the thread that scores them.
struct RowSender(SyncSender<ReadMessage>);

impl RowSender {
    fn send(&self, message: ReadMessage) -> Result<()> {
        // Nobody takes them: another thread has ended with an error, which is the one returned.
        self.0.send(message).map_err(|_| Error::Interrupted)
    }
}

impl SeeRows for RowSender {
    fn keys(&mut self, names: &[String]) -> Result<()> {
        self.send(ReadMessage::Keys(names.to_vec()))
    }

    fn rows(&mut self, path: &Path, rows: KeyedRows) -> Result<()> {
        self.send(ReadMessage::Rows { path: path.to_path_buf(), rows })
    }
}
