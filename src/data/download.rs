//! Downloads a file, and abandons a server that is too slow or sends too much.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that are handed over at a time, and how many such pieces may wait.
const PIECE: usize = 1 << 14;
const WAITING: usize = 16;

/// When a server is too slow: fewer than `least` bytes in a `window`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) window: Duration,
    pub(super) least: u64,
}

impl Default for Patience {
    /// 1,000 bytes a second over half a minute.
    fn default() -> Self {
        Self { window: Duration::from_secs(30), least: 30_000 }
    }
}

/// Asks for a file of at most `most` bytes. Reading fails if the server is slower than `patience` allows or sends more.
///
/// # Errors
/// No answer, or one that is no file. The message never contains a password of the address.
pub(super) fn download(url: &str, most: u64, patience: Patience) -> Result<impl Read, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_mins(30)))
        .build()
        .into();
    let response = agent.get(url).call().map_err(|e| without_secrets(&e.to_string(), url))?;
    let mut body = response.into_body().into_reader();
    let (sender, pieces) = sync_channel(WAITING);
    // A read of a socket cannot be cancelled: it waits on a thread of its own.
    thread::spawn(move || {
        loop {
            let mut piece = vec![0; PIECE];
            let read = body.read(&mut piece).map(|read| {
                piece.truncate(read);
                piece
            });
            let is_over = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || is_over {
                return;
            }
        }
    });
    let (started, piece) = (Instant::now(), Vec::new());
    Ok(Watched { pieces, piece, at: 0, started, in_window: 0, left: most, patience })
}

/// A body that is read with limits.
struct Watched {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// The bytes of the piece read so far.
    at: usize,
    /// When the window began, and the bytes that came in it.
    started: Instant,
    in_window: u64,
    /// The bytes that may still come.
    left: u64,
    patience: Patience,
}

impl Watched {
    /// Waits for the next piece; an empty one is the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let Patience { window, least } = self.patience;
        loop {
            let piece = self.pieces.recv_timeout(window.saturating_sub(self.started.elapsed()));
            if let Ok(Ok(piece)) = &piece {
                self.in_window += piece.len() as u64;
            }
            if self.started.elapsed() >= window {
                if self.in_window < least {
                    let (came, seconds) = (self.in_window, window.as_secs_f64());
                    let problem = format!("the server is too slow: {came} bytes came in {seconds} s");
                    return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
                }
                (self.started, self.in_window) = (Instant::now(), 0);
            }
            match piece {
                Ok(piece) => return piece,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
        }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.piece = self.next()?;
            self.at = 0;
            self.left = self
                .left
                .checked_sub(self.piece.len() as u64)
                .ok_or_else(|| io::Error::other("the server sends more than the file can have"))?;
        }
        let rest = &self.piece[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// An address as it may be shown: without user name, password and query.
pub(super) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    // A password that was not encoded may have a `/` or an `@` in it.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let separator = if url.contains("://") { "://" } else { "" };
    format!("{scheme}{separator}{rest}").escape_debug().to_string()
}

/// A message without the secrets of an address.
fn without_secrets(message: &str, url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map(|(user, _)| user);
    let message = message.replace(url, &shown(url));
    match user {
        Some(user) if !user.is_empty() => {
            let password = user.split_once(':').map_or(user, |(_, password)| password);
            let message = message.replace(user, "…");
            if password.is_empty() { message } else { message.replace(password, "…") }
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (url, expected) in [
            ("https://host/mnist", "https://host/mnist"),
            ("https://user:pa55@host:8080/a/b", "https://host:8080/a/b"),
            ("https://user:p@5/5@host/a", "https://host/a"),
            ("user:pa55@host/a", "host/a"),
            ("https://host/a?token=pa55#x", "https://host/a"),
        ] {
            assert_eq!(shown(url), expected);
        }
        let said = without_secrets("no https://me:pa55@host/a, pa55, me:pa55", "https://me:pa55@host/a");
        assert!(said.contains("https://host/a") && !said.contains("pa55"), "{said}");
    }
}
