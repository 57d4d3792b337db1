//! The library's one error type. Every message is a sentence that names what was wrong and the way out.

use std::path::{Path, PathBuf};

use crate::registry::KeyError;

/// The library's errors, grouped by who can fix them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong usage or an impossible config: nothing ran, nothing was written.
    #[error("{0}")]
    Config(String),
    /// A config key whose value does not fit the data or the network; the program adds file and line.
    #[error("`{}` {}", .0.path.escape_debug(), .0.problem)]
    Key(KeyError),
    /// A data file that is missing, is damaged or does not match the config.
    #[error("{}: {problem}", .path.display())]
    Data {
        /// The file or folder at fault.
        path: PathBuf,
        /// The problem, and what to do.
        problem: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// The operation: "read", "create" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A checkpoint that could not be written; earlier ones are unchanged.
    #[error(
        "the checkpoint {} was not written: {source}; it needs about {needed} bytes{}",
        .path.display(), last_good(.last.as_deref())
    )]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// The size of its files in bytes.
        needed: u64,
        /// The newest checkpoint on disk.
        last: Option<PathBuf>,
        /// The error of the disk.
        source: Box<Error>,
    },
    /// Weights that do not match the model: lists every name and shape that differs.
    #[error("{0}")]
    Weights(String),
    /// The loss or the gradients are not finite; the update they belong to was not made.
    #[error(
        "the {what} became {value} at step {step} (epoch {epoch}, lr {lr:?}){}; the update was not made: \
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
        /// The epoch of the step, counted from 1.
        epoch: u64,
        /// The learning rate at that step.
        lr: f64,
        /// The first value in the forward and backward pass that is not finite.
        first: Option<String>,
        /// The folder with the record of the failure.
        record: Option<PathBuf>,
    },
    /// An update was abandoned at the caller's request; nothing has changed.
    #[error("the update was interrupted")]
    Interrupted,
    /// No row of a batch counts: all are ignored, or of weight 0. The mean over nothing is no number; no update was made.
    #[error("no row of the batch counts; look at `ignore_index` and `weight` of `[loss]`")]
    NothingCounts,
    /// Another rank has failed and says why; the program ends with this exit code on all of them.
    #[error("another rank has failed")]
    OtherRank {
        /// The exit code.
        code: u8,
    },
    /// A GPU's memory is too small for an update.
    #[error(
        "the GPU's memory is full in an update of {rows} rows: choose a smaller `train.batch_size`, with \
         `train.accumulate` = 2 or more where an update is to see as many rows; `train.cuda_graph = false` takes less, too"
    )]
    GpuFull {
        /// The rows of the update.
        rows: usize,
    },
    /// An update cannot be captured as a CUDA graph.
    #[error("an update cannot be captured as a CUDA graph: {0}")]
    NotCaptured(Box<Error>),
    /// A trainable parameter received no gradient.
    #[error("no gradient reached parameter `{0}`; is it used in the forward pass?")]
    NoGradient(String),
    /// A download failed or its checksum is wrong.
    #[error("{0}")]
    Fetch(String),
    /// An error of candle's. With `RUST_BACKTRACE` set candle puts a backtrace into its text: only the first line is for users.
    #[error("{}", first_line(.0))]
    Tensor(#[from] candle_core::Error),
}

/// The library's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The exit code of a program that ends with it: 2 for wrong usage or config, 1 for any other.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Key(_) => 2,
            Self::OtherRank { code } => *code,
            _ => 1,
        }
    }

    /// Whether all ranks of a run have it, since it follows from numbers that they share.
    pub(crate) fn is_of_all_ranks(&self) -> bool {
        matches!(self, Self::Diverged { .. } | Self::Weights(_) | Self::NothingCounts | Self::Key(_))
    }

    /// An invalid value of the config key with this dotted path.
    pub fn key(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key(KeyError::new(path, problem))
    }

    /// A data error at `path`.
    pub fn data(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::Data { path: path.as_ref().to_path_buf(), problem: problem.into() }
    }

    /// The error of an update of this many rows; if the GPU's memory was full, it says how to make the update fit.
    pub(crate) fn of_update(self, rows: usize) -> Self {
        match self {
            Self::Tensor(error) if is_out_of_memory(&error) => Self::GpuFull { rows },
            other => other,
        }
    }

    /// The same divergence, with the first value that is not finite.
    pub(crate) fn with_first(mut self, place: Option<String>) -> Self {
        if let Self::Diverged { first, .. } = &mut self {
            *first = place;
        }
        self
    }

    /// The same divergence, with the folder of its record.
    pub(crate) fn with_record(mut self, folder: PathBuf) -> Self {
        if let Self::Diverged { record, .. } = &mut self {
            *record = Some(folder);
        }
        self
    }

    /// Adds the operation and the path to an [`std::io::Error`]: `.map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

/// Whether CUDA or cuBLAS failed to allocate memory.
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
