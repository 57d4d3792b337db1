//! The lines of a dashboard: what runs, how far it is, and its numbers now.

use ratatui::text::{Line, Span};

use super::super::state::State;
use super::super::text::{number, time};
use super::Palette;
use crate::cli::table::thousands;

/// The run's name, and how long it has been running.
pub(super) fn header(state: &State, palette: Palette, width: usize) -> Line<'_> {
    let right = format!("running for {} ", time(state.elapsed));
    let title = Span::styled(format!(" {}", state.title), Palette::strong());
    let mut line = Line::from(title);
    if line.width() + right.len() + 2 <= width {
        let gap = width - line.width() - right.len();
        line.push_span(Span::styled(format!("{}{right}", " ".repeat(gap)), palette.quiet()));
    }
    line
}

/// The completed fraction of the epoch and of the run.
pub(super) fn bars(state: &State, palette: Palette, width: usize) -> [Line<'static>; 2] {
    let (epoch, rows, of) = state.now.map_or((0, 0, 0), |now| (now.epoch, now.rows, now.rows_in_epoch));
    let left = state.left().map_or("-".to_owned(), time);
    let names = [format!(" epoch {epoch}/{}", state.epochs), " run".to_owned()];
    let notes = [format!("{}/{} rows", thousands(rows), thousands(of)), format!("{left} left")];
    let done = [state.epoch_done(), state.done()];
    let name = names.iter().map(String::len).max().unwrap_or(0);
    let note = notes.iter().map(String::len).max().unwrap_or(0);
    // The notes go first where there is no room, then the bars.
    let percent = " 100 %".len();
    let with_notes = width > name + percent + note + 14;
    let note = if with_notes { note + 3 } else { 0 };
    let length = width.saturating_sub(name + percent + note + 2);
    let mut lines = names.into_iter().zip(notes).zip(done).map(|((text, note), done)| {
        let (full, rest) = bar(done, length);
        let mut line = Line::from(vec![
            Span::styled(format!("{text:<name$} "), Palette::strong()),
            Span::styled(full, palette.done()),
            Span::styled(rest, palette.quiet()),
            Span::raw(format!("{:>4.0} %", (100.0 * done).floor())),
        ]);
        if with_notes {
            line.push_span(Span::raw(format!("  {note}")));
        }
        line
    });
    // Both are there; the defaults are never met.
    [lines.next().unwrap_or_default(), lines.next().unwrap_or_default()]
}

/// The filled and the empty part of a bar of `length` cells.
fn bar(done: f64, length: usize) -> (String, String) {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a length for the eye"
    )]
    let full = ((done * length as f64).round() as usize).min(length);
    ("━".repeat(full), "─".repeat(length - full))
}

/// The current numbers that fit the width.
pub(super) fn facts(state: &State, palette: Palette, width: usize) -> Line<'static> {
    let Some(now) = state.now else { return Line::styled(" waiting for the first update", palette.quiet()) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for the eye")]
    let speed = state.speed.map_or("-".to_owned(), |speed| thousands(speed as u64));
    let facts = [
        ("loss", state.updates.recent().map(number).unwrap_or_default()),
        ("lr", number(now.lr)),
        ("rows/s", speed),
        ("step", thousands(now.step)),
    ];
    let mut line = Line::default();
    for (name, value) in facts {
        let gap = if line.spans.is_empty() { " " } else { "   " };
        if line.width() + gap.len() + name.len() + 1 + value.len() > width && !line.spans.is_empty() {
            break;
        }
        line.push_span(Span::styled(format!("{gap}{name} "), palette.quiet()));
        line.push_span(Span::styled(value, Palette::strong()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_should_be() {
        assert_eq!(bar(0.0, 4), (String::new(), "────".to_owned()));
        assert_eq!(bar(0.5, 4), ("━━".to_owned(), "──".to_owned()));
        assert_eq!(bar(1.0, 4), ("━━━━".to_owned(), String::new()));
        assert_eq!(bar(f64::NAN, 2), (String::new(), "──".to_owned()));
        assert_eq!(bar(7.0, 0), (String::new(), String::new()));
    }

    #[test]
    fn bars_fit_in_every_width() {
        let state = State::new("run", 100, true);
        for width in 24..200 {
            for line in bars(&state, Palette::new(true), width) {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}
