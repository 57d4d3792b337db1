//! Signals: Ctrl-C and SIGTERM save and stop, SIGUSR1 saves and goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::flag;

use super::dashboard;
use crate::error::Error;
use crate::run::Interrupt;

/// A signal that ends a run after it has saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// The signal that `kill` and a cluster's scheduler send.
    Terminate,
}

impl Stop {
    const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit code of a process that it ended, as shells have it: 130, 143.
    pub(super) fn exit_code(self) -> u8 {
        u8::try_from(128 + self.number()).unwrap_or(1)
    }
}

/// The signals that have come since [`Signals::listen`].
#[derive(Debug, Clone)]
pub(super) struct Signals {
    /// Whether nothing is under way that could be saved: then a signal ends the process at once.
    idle: Arc<AtomicBool>,
    /// The exit code of the signal that asked to stop; 0 before.
    stop: Arc<AtomicUsize>,
    interrupt: Interrupt,
}

impl Signals {
    /// From now on signals only set `interrupt`. The second that asks to stop ends the process at once, with a
    /// dashboard after giving the terminal back.
    pub(super) fn listen(interrupt: Interrupt, dashboard: bool) -> Result<Self, Error> {
        let signals = Self { idle: Arc::default(), stop: Arc::default(), interrupt };
        let stopping = signals.interrupt.stop_flag();
        let register = || -> std::io::Result<()> {
            for stop in Stop::ALL {
                let (number, code) = (stop.number(), i32::from(stop.exit_code()));
                flag::register_conditional_default(number, Arc::clone(&signals.idle))?;
                // In the order in which they act: the second signal finds what the first has set.
                if !dashboard {
                    flag::register_conditional_shutdown(number, code, Arc::clone(&stopping))?;
                }
                flag::register_usize(number, Arc::clone(&signals.stop), usize::from(stop.exit_code()))?;
                flag::register(number, Arc::clone(&stopping))?;
            }
            if dashboard {
                end_at_the_second()?;
            }
            flag::register(SIGUSR1, signals.interrupt.save_flag())?;
            Ok(())
        };
        register().map_err(|error| refused(&error))?;
        Ok(signals)
    }

    /// Sets whether nothing is under way: between two runs of one command, while the next one reads its data.
    pub(super) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
    }

    /// The signal that asked to stop, if one has come.
    pub(super) fn stop(&self) -> Option<Stop> {
        let code = self.stop.load(Ordering::Relaxed);
        Stop::ALL.into_iter().find(|stop| usize::from(stop.exit_code()) == code)
    }

    /// The interrupt that the signals set, for the options of a run.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
}

/// The error of a signal that cannot be listened for.
fn refused(error: &std::io::Error) -> Error {
    Error::Config(format!("cannot listen for signals: {error}"))
}

/// From now on a file that exceeds the shell's size limit is a write error, and does not end the process.
pub(super) fn outlive_size_limit() -> Result<(), Error> {
    flag::register(SIGXFSZ, Arc::default()).map(|_| ()).map_err(|error| refused(&error))
}

/// From now on Ctrl-C and SIGTERM end the process at once, wherever it waits, with the exit codes of [`Stop`].
pub(super) fn end_at_once() -> Result<(), Error> {
    let register = || -> std::io::Result<()> {
        for stop in Stop::ALL {
            let code = i32::from(stop.exit_code());
            flag::register_conditional_shutdown(stop.number(), code, Arc::new(AtomicBool::new(true)))?;
        }
        Ok(())
    };
    register().map_err(|error| refused(&error))
}

/// Waits on a thread of its own for the second signal that asks to stop: a handler could not give the terminal back.
fn end_at_the_second() -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new(Stop::ALL.map(Stop::number))?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(number) = signals.forever().nth(1) {
            dashboard::restore();
            signal_hook::low_level::exit(128 + number);
        }
    })?;
    Ok(())
}
