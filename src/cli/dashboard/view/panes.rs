//! The panes below the charts: the last messages, and a table of the epochs' numbers.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use super::super::state::{State, split};
use super::super::text::{number, wrap};
use super::Palette;

/// The width of a number in the table.
const COLUMN: usize = 11;

/// The last messages, the newest at the bottom; without a frame where there is room for two lines at most.
pub(super) fn messages(frame: &mut Frame, area: Rect, state: &State, palette: Palette) {
    let block = pane("messages", palette);
    let inner = if area.height > 2 { block.inner(area) } else { area };
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    if width == 0 || height == 0 {
        return;
    }
    let mut lines: Vec<Line> = Vec::new();
    for message in state.messages().rev().take(height) {
        let style = match message.trim_start() {
            text if text.starts_with("ERROR") => palette.error(),
            text if text.starts_with("WARN") => palette.warning(),
            _ => ratatui::style::Style::new(),
        };
        lines.extend(wrap(message, width).into_iter().rev().map(|line| Line::styled(line, style)));
    }
    lines.truncate(height);
    lines.reverse();
    if area.height > 2 {
        frame.render_widget(block, area);
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The width of the table with its frame.
pub(super) fn table_width(state: &State) -> u16 {
    let name = state.numbers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    u16::try_from(name.max(10) + 3 * COLUMN + 4).unwrap_or(u16::MAX)
}

/// Every number of the epochs: the last, the smallest, the greatest.
pub(super) fn table(frame: &mut Frame, area: Rect, state: &State, palette: Palette) {
    let block = pane("epochs", palette);
    let inner = block.inner(area);
    let name = usize::from(inner.width).saturating_sub(3 * COLUMN + 1);
    let row = |cells: [String; 3]| cells.map(|cell| format!("{cell:>COLUMN$}")).concat();
    let head = row(["last", "lowest", "highest"].map(str::to_owned));
    let mut lines = vec![Line::styled(format!("{:<name$}{head}", ""), palette.quiet())];
    for (text, curve) in &state.numbers {
        let (low, high) = curve.extremes().unwrap_or((f64::NAN, f64::NAN));
        let style = palette.curve(Some(split(text).0)).style;
        let numbers = row([curve.last().unwrap_or(f64::NAN), low, high].map(number));
        lines.push(Line::from(vec![Span::styled(format!("{text:<name$}"), style), Span::raw(numbers)]));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn pane(title: &str, palette: Palette) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(palette.quiet())
        .title(Span::styled(format!(" {title} "), Palette::strong()))
}
