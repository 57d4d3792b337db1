//! A full-screen dashboard: curves, progress and messages. It is called after every update and has no thread of its own.

mod curve;
mod keys;
mod noted;
mod progress;
mod state;
mod terminal;
mod text;
mod view;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use keys::Pressed;
use noted::Noted;
use state::State;
use terminal::TakenTerminal;

pub(crate) use progress::UpdateProgress;
pub(crate) use terminal::restore;

/// The interval between two frames, in which keys are read too.
const REDRAW: Duration = Duration::from_millis(50);

/// The action that a key requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAction {
    /// To save and stop.
    Stop,
    /// To stop at once, asked for a second time.
    Abort,
    /// To save and go on.
    Save,
}

/// The terminal, for as long as this lives.
pub(crate) struct Dashboard {
    state: State,
    screen: TakenTerminal,
    noted: Noted,
    asked: VecDeque<KeyAction>,
    opened: Instant,
    drawn: Instant,
    suspended: bool,
    closed: bool,
}

impl Dashboard {
    /// Takes the terminal of standard error over: alternate screen, raw mode. An error where there is none.
    pub(crate) fn open(title: &str, epochs: u64) -> io::Result<Self> {
        let color = std::env::var_os("NO_COLOR").is_none();
        // Before the screen: from here on no signal ends the process without giving the terminal back.
        let noted = Noted::listen()?;
        let screen = TakenTerminal::take().inspect_err(|_| noted.ignore())?;
        let mut dashboard = Self {
            state: State::new(title, epochs, color),
            screen,
            noted,
            asked: VecDeque::new(),
            opened: Instant::now(),
            drawn: Instant::now(),
            suspended: false,
            closed: false,
        };
        dashboard.draw();
        Ok(dashboard)
    }

    /// Takes what an update has come to; draws and reads the keys when that is due. Gives what a key asked for.
    pub(crate) fn update(&mut self, progress: &UpdateProgress) -> Option<KeyAction> {
        self.state.update(progress);
        let elapsed = self.drawn.elapsed();
        // An epoch of half a second and more is seen to its end; what is measured then may take long.
        let last = progress.rows >= progress.rows_in_epoch && progress.seconds > 0.5;
        if last || elapsed >= REDRAW {
            self.look();
        }
        self.asked.pop_front()
    }

    /// Takes the numbers of an epoch that is over, by name: `train_loss`, `val_loss`, `val_accuracy` and so on.
    pub(crate) fn epoch(&mut self, epoch: u64, numbers: &[(String, f64)], lr: f64) {
        self.state.epoch(epoch, numbers, lr);
        self.look_if_due();
    }

    /// Takes the names of the metrics that the run monitors, which are shown first.
    pub(crate) fn watch(&mut self, metrics: &[&str]) {
        self.state.watch(metrics);
    }

    /// Takes lines for the messages; they are printed once more when the terminal is given back.
    pub(crate) fn add_message(&mut self, line: &str) {
        self.state.add_message(line);
        self.look_if_due();
    }

    /// Restores the terminal, with the messages on it as a run without a dashboard would have left them.
    pub(crate) fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        restore();
        self.noted.ignore();
        let mut stderr = io::stderr().lock();
        for line in self.state.messages() {
            // A closed terminal is no reason to stop.
            let _ = writeln!(stderr, "{line}");
        }
    }

    fn look_if_due(&mut self) {
        if self.drawn.elapsed() >= REDRAW {
            self.look();
        }
    }

    /// Sees to signals and keys, and draws.
    fn look(&mut self) {
        self.see_signals();
        if !self.suspended {
            for pressed in self.screen.pressed() {
                self.press(pressed);
            }
            self.draw();
        }
        self.drawn = Instant::now();
    }

    fn see_signals(&mut self) {
        if self.noted.take_hangup() {
            self.stop();
        }
        if self.noted.take_suspend() && !self.suspended {
            restore();
            self.suspended = true;
            // Returns once the process goes on.
            self.noted.suspend();
        }
        // After a stop that could not be noted the terminal may be as the shell left it.
        if self.noted.take_continued() {
            self.suspended = true;
        }
        if self.suspended && !self.closed && terminal::in_foreground() {
            self.suspended = self.screen.take_again().is_err();
        }
    }

    fn press(&mut self, pressed: Pressed) {
        match pressed {
            Pressed::Stop => self.stop(),
            Pressed::Save => self.asked.push_back(KeyAction::Save),
            Pressed::Log => self.state.toggle_log(),
            Pressed::Next => self.state.select_next(view::has_two_charts(self.screen.width())),
            Pressed::Redraw => self.screen.forget(),
        }
    }

    fn stop(&mut self) {
        self.asked.push_back(if self.state.stopping { KeyAction::Abort } else { KeyAction::Stop });
        self.state.stopping = true;
    }

    fn draw(&mut self) {
        self.state.sample(self.opened.elapsed().as_secs_f64());
        self.screen.draw(|frame| view::draw(frame, &self.state));
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.close();
    }
}
