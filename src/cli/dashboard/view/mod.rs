//! A dashboard as a screen of any size: what there is room for, the most important first.

mod chart;
mod panes;
mod progress;
mod style;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::State;
use style::Palette;

/// The narrowest screen that has room for two charts beside each other, and for the table of numbers.
const TWO_CHARTS: u16 = 70;
const TABLE: u16 = 100;

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame, state: &State) {
    let palette = Palette::new(state.color);
    let rows = Areas::of(frame.area());
    let width = usize::from(frame.area().width);
    frame.render_widget(progress::header(state, palette, width), rows.header);
    for (area, line) in [rows.epoch, rows.run].into_iter().zip(progress::bars(state, palette, width)) {
        frame.render_widget(line, area);
    }
    frame.render_widget(progress::facts(state, palette, width), rows.facts);
    frame.render_widget(keys(state, palette), rows.keys);
    charts(frame, rows.charts, state, palette);
    let table_width = panes::table_width(state);
    if rows.panes.width >= TABLE && rows.panes.width > 2 * table_width {
        let (left, right) = beside(rows.panes, rows.panes.width - table_width);
        panes::messages(frame, left, state, palette);
        panes::table(frame, right, state, palette);
    } else {
        panes::messages(frame, rows.panes, state, palette);
    }
}

/// Whether a screen of this width shows two charts.
pub(super) fn has_two_charts(width: u16) -> bool {
    width >= TWO_CHARTS
}

fn charts(frame: &mut Frame, area: Rect, state: &State, palette: Palette) {
    if area.is_empty() {
        return;
    }
    match state.charts(has_two_charts(area.width))[..] {
        [first, second] => {
            let (left, right) = beside(area, area.width.div_ceil(2));
            chart::draw(frame, left, state, palette, first);
            chart::draw(frame, right, state, palette, second);
        }
        [only, ..] => chart::draw(frame, area, state, palette, only),
        [] => {}
    }
}

fn keys(state: &State, palette: Palette) -> Line<'static> {
    if state.stopping {
        return Line::styled(" stopping; q once more stops without saving", palette.warning());
    }
    let keys = [("q", "stop"), ("s", "save"), ("l", "log scale"), ("Tab", "next curve")];
    let mut line = Line::default();
    for (key, action) in keys {
        line.push_span(Span::styled(format!(" {key}"), Palette::strong()));
        line.push_span(Span::styled(format!(" {action} "), palette.quiet()));
    }
    line
}

/// A rectangle cut in two, the left one so wide.
fn beside(area: Rect, width: u16) -> (Rect, Rect) {
    let left = Rect { width: width.min(area.width), ..area };
    (left, Rect { x: left.right(), width: area.width - left.width, ..area })
}

/// The rows of a screen.
struct Areas {
    header: Rect,
    charts: Rect,
    epoch: Rect,
    run: Rect,
    facts: Rect,
    panes: Rect,
    keys: Rect,
}

impl Areas {
    fn of(area: Rect) -> Self {
        let mut left = area.height;
        let mut take = |least: u16, most: u16| {
            let taken = if left >= least { most.min(left) } else { 0 };
            left -= taken;
            taken
        };
        let [facts, epoch, header, run, keys] = [(); 5].map(|()| take(1, 1));
        // A chart is worth looking at from six rows on; from there on the messages get a quarter.
        let quarter = area.height / 4;
        let panes = if area.height >= 16 { take(3, quarter.clamp(4, 14)) } else { 0 };
        let charts = take(6, u16::MAX);
        let panes = if charts == 0 { take(1, u16::MAX) } else { panes };
        let mut y = area.y;
        let mut next = |height| {
            let row = Rect { y, height, ..area };
            y += height;
            row
        };
        let (header, charts, epoch, run) = (next(header), next(charts), next(epoch), next(run));
        Self { header, charts, epoch, run, facts: next(facts), panes: next(panes), keys: next(keys) }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::UpdateProgress;
    use super::*;

    /// A run of some epochs with everything that is hard to draw.
    fn state(color: bool) -> State {
        let mut state = State::new("runs/a\x1b[31m", 20, color);
        let losses = [2.3, 1.0, f64::NAN, 0.5, f64::INFINITY, 1e300, -1e300, 0.0, 0.1];
        for (epoch, loss) in (1..).zip(losses) {
            for rows in 1..=50 {
                let progress =
                    UpdateProgress { epoch, rows, rows_in_epoch: 60, loss, lr: 1e-3, seconds: 0.1, step: 1 };
                state.update(&progress);
            }
            state.epoch(epoch, &[("train_loss".into(), loss), ("val_accuracy".into(), 0.5)], 1e-3);
            state.sample(0.1);
            state.add_message("a message that is a good deal longer than a small terminal is wide");
        }
        state
    }

    fn screen(state: &State, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn every_size_can_be_drawn() {
        let mut states = [State::new("", 0, true), State::new("run", 5, false), state(true), state(false)];
        for state in &mut states {
            for log in [false, true] {
                state.log = log;
                for width in (1..40).chain([69, 70, 99, 100, 101, 250]) {
                    for height in (1..30).chain([80]) {
                        screen(state, (width, height));
                    }
                }
                state.select_next(true);
            }
        }
    }

    #[test]
    fn a_tiny_screen_shows_what_matters() {
        let text = screen(&state(true), (20, 5));
        for part in ["epoch 9/20", "83 %", "loss", "runs/a"] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        let text = screen(&state(true), (20, 1));
        assert!(text.contains("loss"), "{text}");
    }

    #[test]
    fn a_common_screen_shows_everything() {
        let text = screen(&state(true), (80, 24));
        for part in ["runs/a\\u{1b}[31m", "50/60", " left", "accuracy", "lr 0.0010", "a message", "q stop"] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        assert!(text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "no curve in\n{text}");
    }

    #[test]
    fn without_colour_there_is_none_and_curves_differ_still() {
        let state = state(false);
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
        terminal.draw(|frame| draw(frame, &state)).unwrap();
        let buffer = terminal.backend().buffer();
        let uncoloured = |cell: &ratatui::buffer::Cell| {
            cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
        };
        assert!(buffer.content.iter().all(uncoloured));
        let text = terminal.backend().to_string();
        assert!(text.contains("• val") && text.contains("+ train"), "{text}");
    }

    #[test]
    fn rows_fill_the_screen() {
        for height in 0..100 {
            let area = Rect::new(0, 0, 80, height);
            let Areas { header, charts, epoch, run, facts, panes, keys } = Areas::of(area);
            let rows = [header, charts, epoch, run, facts, panes, keys].map(|row| row.height);
            let used: u16 = rows.iter().sum();
            assert!(used == height && keys.bottom() <= height, "{height}: {rows:?}");
        }
    }
}
