//! Decodes key presses of a terminal in raw mode.
//!
//! The loop must never wait for the keyboard: crossterm's `event::poll` of no time at all does, where an escape sequence
//! comes in two parts, and spins for ever once the terminal has hung up.

/// A key that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// q, Ctrl-C.
    Stop,
    /// s.
    Save,
    /// l.
    Log,
    /// Tab, m.
    Next,
    /// Ctrl-L.
    Redraw,
}

/// The keys among `bytes`; arrows and other sequences of ECMA-48 are passed over.
pub(super) fn parse(bytes: &[u8]) -> Vec<Pressed> {
    let mut pressed = Vec::new();
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = if *first == ESCAPE { skip_sequence(after) } else { after };
        match *first {
            b'q' | b'Q' | CTRL_C => pressed.push(Pressed::Stop),
            b's' | b'S' => pressed.push(Pressed::Save),
            b'l' | b'L' => pressed.push(Pressed::Log),
            b'm' | b'M' | b'\t' => pressed.push(Pressed::Next),
            CTRL_L => pressed.push(Pressed::Redraw),
            _ => {}
        }
    }
    pressed
}

const ESCAPE: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
const CTRL_L: u8 = 0x0c;

/// The bytes after an escape sequence, whose escape byte is already removed.
fn skip_sequence(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            end.map_or(&[], |end| &rest[end + 1..])
        }
        [b'O', _, rest @ ..] => rest,
        // The key of an escape by itself, pressed twice.
        [ESCAPE, ..] => bytes,
        // A key with Alt.
        [_, rest @ ..] => rest,
        [] => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_among_sequences() {
        assert_eq!(parse(b"q\x03"), [Pressed::Stop, Pressed::Stop]);
        assert_eq!(parse(b"\ts"), [Pressed::Next, Pressed::Save]);
        // Up, F1, a mouse click that ends in m, Alt-q; then l.
        assert_eq!(parse(b"\x1b[A\x1bOP\x1b[<0;3;4m\x1bql"), [Pressed::Log]);
        assert_eq!(parse(b"\x1b\x1b\x1b[200~q"), [Pressed::Stop]);
        assert_eq!(parse(b"\x1b[1;5"), []);
        // Ctrl-Z and Ctrl-\ do nothing.
        assert_eq!(parse(b"\x1a\x1c\x1b"), []);
    }
}
