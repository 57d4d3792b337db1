//! The options of a run beside its config: folder, device, and how it is interrupted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Device;

use super::initial_weights::InitialPart;
use crate::data::Preprocessing;
use crate::distributed::{Communicator, Single};

/// Options of one call of [`Run::create`](super::Run::create) or [`Run::resume`](super::Run::resume). The training
/// itself (epochs, checkpoints, early stopping) is described by the [`Config`](crate::config::Config).
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The run folder. `None`: `runs/<config name>-<time>`. A resumed run keeps its own.
    pub folder: Option<PathBuf>,
    /// The device to train on; the CPU by default. See [`choose_device`](super::choose_device).
    pub device: Device,
    /// A state dict as safetensors to start from in place of the initialised weights.
    pub init_from: Option<PathBuf>,
    /// The part of [`Self::init_from`] that is taken; by default all of it.
    pub init_part: InitialPart,
    /// The preprocessing of other runs, to be applied in place of one that is fitted to the training rows.
    pub preprocessing: Option<Arc<Preprocessing>>,
    /// Accept NaN and infinite values in the weights of [`Self::init_from`].
    pub allow_nonfinite: bool,
    /// Continue training when a checkpoint or a log line cannot be written, with a warning.
    pub keep_going: bool,
    /// Resume also where the log no longer begins as it did at the checkpoint: it is set aside, and a new one begun.
    pub restart_log: bool,
    /// Asks the run to save or to stop while it trains.
    pub interrupt: Interrupt,
    /// The ranks that train together; by default this process alone. All of them make the same calls. Rank 0 writes the
    /// run folder.
    pub ranks: Arc<dyn Communicator>,
}

impl RunOptions {
    /// Whether this process writes the run folder.
    pub(super) fn owns_folder(&self) -> bool {
        self.ranks.rank() == 0
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            folder: None,
            device: Device::Cpu,
            init_from: None,
            init_part: InitialPart::default(),
            preprocessing: None,
            allow_nonfinite: false,
            keep_going: false,
            restart_log: false,
            interrupt: Interrupt::default(),
            ranks: Arc::new(Single),
        }
    }
}

/// Asks a run to save or to stop, from another thread or a signal handler. Clones share the requests.
///
/// ```
/// let interrupt = descent::run::Interrupt::default();
/// let other = interrupt.clone();
/// std::thread::spawn(move || other.stop()).join().unwrap();
/// assert!(interrupt.is_stopping());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    stop: Arc<AtomicBool>,
    save: Arc<AtomicBool>,
}

impl Interrupt {
    /// Asks the run to save a checkpoint and end. A large update is abandoned between its parts.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Asks the run to save a checkpoint and go on.
    pub fn save(&self) {
        self.save.store(true, Ordering::Relaxed);
    }

    /// Whether the run is asked to end.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The flag that [`Self::stop`] sets, for a signal handler.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The flag that [`Self::save`] sets, for a signal handler.
    pub fn save_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.save)
    }

    /// Whether the run is asked to save.
    pub(crate) fn wants_save(&self) -> bool {
        self.save.load(Ordering::Relaxed)
    }

    /// Whether the run was asked to save since the last call.
    pub(crate) fn take_save(&self) -> bool {
        self.wants_save() && self.save.swap(false, Ordering::Relaxed)
    }
}
