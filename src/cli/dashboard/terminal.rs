//! The terminal of standard error: taken over, drawn on, and given back whatever happens.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, QueueSelector, SpecialCodeIndex, Termios};
use rustix::{process, termios};

use super::keys::{self, Pressed};

/// The alternate screen, without a cursor, empty.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
/// Plain text, a cursor, the screen as it was.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l";
/// The size that is assumed for a terminal that does not report one.
const UNKNOWN: Rect = Rect::new(0, 0, 80, 24);

// These are global because a panic hook and a signal handler have nothing else at hand.
static TAKEN: AtomicBool = AtomicBool::new(false);
static ORIGINAL: OnceLock<Termios> = OnceLock::new();
static HOOK: Once = Once::new();

/// Restores the terminal if it is taken. Only stores, `write` and `ioctl`: a signal handler may call it.
pub(crate) fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let stderr = io::stderr();
        let _ = rustix::io::write(&stderr, LEAVE);
        // A background job that sets the terminal is stopped by SIGTTOU; its shell has set it anyway.
        if let Some(original) = ORIGINAL.get().filter(|_| in_foreground()) {
            let _ = termios::tcsetattr(&stderr, OptionalActions::Now, original);
            // Keys that were meant for the dashboard are not for the shell.
            let _ = termios::tcflush(&stderr, QueueSelector::IFlush);
        }
    }
}

/// Whether the process may use the terminal now; so it is where there is no job control.
pub(super) fn in_foreground() -> bool {
    termios::tcgetpgrp(io::stderr()).map_or(true, |group| group == process::getpgrp())
}

/// The terminal while it is taken.
pub(super) struct TakenTerminal {
    terminal: Terminal<CrosstermBackend<FrameBuffer>>,
    area: Rect,
    /// The source of keys, until it ends.
    keyboard: Option<File>,
}

impl TakenTerminal {
    /// Takes the terminal.
    pub(super) fn take() -> io::Result<Self> {
        if !io::stderr().is_terminal() {
            return Err(io::Error::other("standard error is not a terminal; run without --tui"));
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Err(io::Error::other(
                "a terminal of type `dumb` has no screen to draw on; run without --tui",
            ));
        }
        if !in_foreground() {
            return Err(io::Error::other(
                "a background job cannot take the terminal; run without --tui or without &",
            ));
        }
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                previous(panic);
            }));
        });
        // As pagers do it: where standard input is the data, the terminal that is written to is also read from.
        let keyboard = if io::stdin().is_terminal() {
            io::stdin().as_fd().try_clone_to_owned()
        } else {
            io::stderr().as_fd().try_clone_to_owned()
        };
        enter()?;
        let area = size();
        Ok(Self { terminal: blank(area)?, area, keyboard: keyboard.ok().map(File::from) })
    }

    /// Takes the terminal once more after [`restore`].
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        enter()?;
        self.forget();
        Ok(())
    }

    /// The columns of the last frame.
    pub(super) fn width(&self) -> u16 {
        self.area.width
    }

    /// Draws everything anew next time.
    pub(super) fn forget(&mut self) {
        self.area = Rect::ZERO;
    }

    /// The keys pressed since the last call; does not wait.
    pub(super) fn pressed(&mut self) -> Vec<Pressed> {
        let Some(keyboard) = self.keyboard.as_ref().filter(|_| TAKEN.load(Ordering::SeqCst)) else {
            return Vec::new();
        };
        let mut ready = [PollFd::new(keyboard, PollFlags::IN)];
        if poll(&mut ready, Some(&Timespec::default())).is_err() {
            return Vec::new();
        }
        let ready = ready[0].revents();
        if ready.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            self.keyboard = None;
        } else if ready.contains(PollFlags::IN) {
            let mut bytes = [0; 256];
            match rustix::io::read(keyboard, &mut bytes) {
                Ok(count) => return keys::parse(&bytes[..count]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => self.keyboard = None,
            }
        }
        Vec::new()
    }

    /// Draws a frame of the size that the terminal has now; not on a terminal that was given back.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame)) {
        if !TAKEN.load(Ordering::SeqCst) || !in_foreground() {
            return;
        }
        let area = size();
        if area != self.area {
            // A fresh one: the library's own resizing may start `tput` to ask for the size.
            let Ok(terminal) = blank(area) else { return };
            self.terminal = terminal;
            self.area = area;
        }
        // A terminal that has gone away is no reason to stop.
        let _ = self.terminal.draw(view);
    }
}

/// Saves how the terminal is set the first time, then sets it.
fn enter() -> io::Result<()> {
    let stderr = io::stderr();
    let mut raw = termios::tcgetattr(&stderr)?;
    let _ = ORIGINAL.set(raw.clone());
    raw.make_raw();
    // Reading gives what is there, be it nothing.
    raw.special_codes[SpecialCodeIndex::VMIN] = 0;
    raw.special_codes[SpecialCodeIndex::VTIME] = 0;
    // Ctrl-C stays a signal: nobody reads keys while an epoch is measured. Ctrl-Z and Ctrl-\\ are keys of no meaning.
    raw.local_modes |= termios::LocalModes::ISIG;
    raw.special_codes[SpecialCodeIndex::VSUSP] = 0;
    raw.special_codes[SpecialCodeIndex::VQUIT] = 0;
    TAKEN.store(true, Ordering::SeqCst);
    let taken = termios::tcsetattr(&stderr, OptionalActions::Now, &raw).map_err(io::Error::from);
    taken.and_then(|()| stderr.lock().write_all(ENTER)).inspect_err(|_| restore())
}

fn size() -> Rect {
    let Ok(size) = termios::tcgetwinsize(io::stderr()) else { return UNKNOWN };
    let (width, height) = (size.ws_col, size.ws_row);
    if width == 0 || height == 0 { UNKNOWN } else { Rect::new(0, 0, width, height) }
}

/// An empty screen.
fn blank(area: Rect) -> io::Result<Terminal<CrosstermBackend<FrameBuffer>>> {
    let output = FrameBuffer(b"\x1b[0m\x1b[2J".to_vec());
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    Terminal::with_options(CrosstermBackend::new(output), options)
}

/// Standard error, a frame at a time, and only while the terminal is taken: half a frame must not follow [`LEAVE`].
struct FrameBuffer(Vec<u8>);

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.0);
        if TAKEN.load(Ordering::SeqCst) { io::stderr().lock().write_all(&frame) } else { Ok(()) }
    }
}
