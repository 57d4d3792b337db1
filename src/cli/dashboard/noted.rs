//! Signals that would leave the terminal as no one wants it. They are only noted; the loop's next look sees to them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP};
use signal_hook::{flag, low_level};

/// The signals that have come.
#[derive(Debug)]
pub(super) struct Noted {
    hangup: Arc<AtomicBool>,
    suspend: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
    /// Set once signals are to do again what they do by default.
    ignored: Arc<AtomicBool>,
}

impl Noted {
    pub(super) fn listen() -> io::Result<Self> {
        let noted = Self {
            hangup: Arc::default(),
            suspend: Arc::default(),
            continued: Arc::default(),
            ignored: Arc::default(),
        };
        for (signal, flag) in [(SIGHUP, &noted.hangup), (SIGTSTP, &noted.suspend)] {
            flag::register_conditional_default(signal, Arc::clone(&noted.ignored))?;
            flag::register(signal, Arc::clone(flag))?;
        }
        flag::register(SIGCONT, Arc::clone(&noted.continued))?;
        Ok(noted)
    }

    /// From now on signals do what they do by default.
    pub(super) fn ignore(&self) {
        self.ignored.store(true, Ordering::SeqCst);
    }

    /// Whether the terminal has hung up since the last call.
    pub(super) fn take_hangup(&self) -> bool {
        self.hangup.swap(false, Ordering::Relaxed)
    }

    /// Whether the process has been asked to pause since the last call.
    pub(super) fn take_suspend(&self) -> bool {
        self.suspend.swap(false, Ordering::Relaxed)
    }

    /// Whether the process has gone on after a pause since the last call.
    pub(super) fn take_continued(&self) -> bool {
        self.continued.swap(false, Ordering::Relaxed)
    }

    /// Pauses the process until it is told to go on.
    pub(super) fn suspend(&self) {
        let _ = low_level::emulate_default_handler(SIGTSTP);
        self.continued.store(false, Ordering::Relaxed);
    }
}
