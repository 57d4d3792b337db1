//! The library's one error type. Every message is a sentence that names what was wrong and the way out.

use std::path::{Path, PathBuf};

use crate::registry::KeyError;

/// What can go wrong, by who can mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong usage or an impossible config: nothing ran, nothing was written.
    #[error("{0}")]
    Config(String),
    /// A key of the config whose value does not fit the data or the network; the program adds file and line.
    #[error("`{}` {}", .0.path, .0.problem)]
    Key(KeyError),
    /// A data file that is missing, damaged or does not fit the config.
    #[error("{}: {problem}", .path.display())]
    Data {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried: "read", "create" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A checkpoint that could not be written; the ones before it are as they were.
    #[error(
        "the checkpoint {} was not written: {source}; it needs about {needed} bytes{}",
        .path.display(), last_good(.last.as_deref())
    )]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// The bytes that its files take.
        needed: u64,
        /// The newest one that is there.
        last: Option<PathBuf>,
        /// What the disk said.
        source: Box<Error>,
    },
    /// Weights that do not fit the model: every name and shape that differs.
    #[error("{0}")]
    Weights(String),
    /// The loss or the gradients left the finite numbers; the update they belong to was not made.
    #[error(
        "the {what} became {value} at step {step} (epoch {epoch}, lr {lr}){}; the update was not made: \
         lower `optimizer.lr`, set `train.clip_grad_norm`, or check the data for extreme values{}",
        first_place(.first.as_deref()), record_of(.record.as_deref())
    )]
    Diverged {
        /// The loss, or the norm of the gradients.
        what: &'static str,
        /// Its value: NaN or infinite.
        value: f64,
        /// The update that would have been made, counted from 1.
        step: u64,
        /// The epoch it lies in, counted from 1.
        epoch: u64,
        /// The learning rate at that step.
        lr: f64,
        /// The first place on the way through the network and back that is not finite.
        first: Option<String>,
        /// The folder in which the program wrote it down.
        record: Option<PathBuf>,
    },
    /// An update was given up because the caller asked to; nothing has changed.
    #[error("the update was interrupted")]
    Interrupted,
    /// A GPU has no room for an update.
    #[error(
        "the GPU's memory is full in an update of {rows} rows: choose a smaller `train.batch_size`, with \
         `train.accumulate` = 2 or more where an update is to see as many rows"
    )]
    GpuFull {
        /// The rows of the update.
        rows: usize,
    },
    /// No gradient arrived at a parameter that should be trained.
    #[error("no gradient reached parameter `{0}`; is it used in the forward pass?")]
    NoGradient(String),
    /// A download that failed or brought the wrong bytes.
    #[error("{0}")]
    Fetch(String),
    /// An error of candle's. With `RUST_BACKTRACE` set candle puts a backtrace into its text: only the first line is for users.
    #[error("{}", first_line(.0))]
    Tensor(#[from] candle_core::Error),
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The value of a config key, by its dotted path, does not fit.
    pub fn key(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key(KeyError::new(path, problem))
    }

    /// A data error at `path`.
    pub fn data(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::Data { path: path.as_ref().to_path_buf(), problem: problem.into() }
    }

    /// The error of an update of this many rows: says how to make it fit where a GPU's memory was full.
    pub(crate) fn of_update(self, rows: usize) -> Self {
        match self {
            Self::Tensor(error) if is_out_of_memory(&error) => Self::GpuFull { rows },
            other => other,
        }
    }

    /// The same divergence with the place where it began.
    pub(crate) fn with_first(mut self, place: Option<String>) -> Self {
        if let Self::Diverged { first, .. } = &mut self {
            *first = place;
        }
        self
    }

    /// The same divergence with the folder in which it was written down.
    pub(crate) fn with_record(mut self, folder: PathBuf) -> Self {
        if let Self::Diverged { record, .. } = &mut self {
            *record = Some(folder);
        }
        self
    }

    /// Turns an [`std::io::Error`] into a sentence: `.map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

/// Whether CUDA or cuBLAS could not get memory.
fn is_out_of_memory(error: &candle_core::Error) -> bool {
    let text = error.to_string();
    ["CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED"].iter().any(|name| text.contains(name))
}

fn first_place(first: Option<&str>) -> String {
    first.map_or(String::new(), |place| format!("; the first that is not finite is {place}"))
}

fn record_of(record: Option<&Path>) -> String {
    record.map_or(String::new(), |path| format!("; descent replay {} repeats it", path.display()))
}

fn last_good(last: Option<&Path>) -> String {
    match last {
        Some(path) => format!("; the last good one is {}: make room and go on with --resume", path.display()),
        None => "; there is none before it".to_owned(),
    }
}

fn first_line(error: &candle_core::Error) -> String {
    if is_out_of_memory(error) {
        return "the GPU's memory is full; free some of it (`descent list devices`), choose a smaller network, or \
                `--device cpu`"
            .to_owned();
    }
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
