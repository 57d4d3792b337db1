//! A chart of the curves of one quantity over epochs.

use ratatui::Frame;
use ratatui::layout::{HorizontalAlignment, Rect};
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, BorderType, Chart, Dataset, GraphType};

use super::super::curve::Curve;
use super::super::state::{LOSS, LR, RATE, State, split};
use super::super::text::{number, short};
use super::Palette;
use super::style::CurveStyle;

/// Values beyond this are gaps: their differences could leave the finite numbers.
const LARGEST: f64 = 1e100;

/// The name of the curve of the single updates, which is the ground for the others.
const UPDATES: &str = "updates";

/// A curve with its name and looks.
struct Shown<'a> {
    name: &'a str,
    curve: &'a Curve,
    value: Option<f64>,
    style: Style,
    marker: Marker,
}

/// Draws the curves of `quantity` in a frame whose title is the legend.
pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, palette: Palette, quantity: &str) {
    let shown = curves(state, palette, quantity);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(palette.quiet())
        .title(legend(&shown, quantity, usize::from(area.width.saturating_sub(2))));
    let block = if state.log { block.title_bottom(Line::from(" log scale ").right_aligned()) } else { block };
    let strokes: Vec<Vec<(f64, f64)>> = shown.iter().map(|shown| points(shown.curve, state.log)).collect();
    let finite = || strokes.iter().flatten().filter(|point| point.1.is_finite());
    let (low, high) =
        finite().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
    if low > high {
        let waiting = Line::styled("nothing to show yet", palette.quiet()).centered();
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let middle = Rect { y: inner.y + inner.height / 2, height: 1, ..inner };
        frame.render_widget(waiting, middle.intersection(inner));
        return;
    }
    let datasets = shown.iter().zip(&strokes).flat_map(|(shown, points)| {
        // A gap ends a stroke and begins another.
        let strokes = points.split(|point| !point.1.is_finite()).filter(|stroke| !stroke.is_empty());
        let dataset = Dataset::default().marker(shown.marker).graph_type(GraphType::Line).style(shown.style);
        strokes.map(move |stroke| dataset.clone().data(stroke))
    });
    let chart = Chart::new(datasets.collect())
        .block(block)
        .legend_position(None)
        .x_axis(epochs(state, palette))
        .y_axis(values((low, high), area.height, state.log, palette));
    frame.render_widget(chart, area);
}

/// The curves of a quantity, the most important last, which is drawn over the others.
fn curves<'a>(state: &'a State, palette: Palette, quantity: &str) -> Vec<Shown<'a>> {
    let along_the_way = match quantity {
        LOSS => Some((UPDATES, &state.updates, None)),
        LR => Some(("", &state.lr, state.lr.last())),
        RATE => Some(("", &state.rate, state.rate.last())),
        _ => None,
    };
    let mut shown: Vec<Shown> = along_the_way
        .map(|(name, curve, value)| {
            // By itself it is no background.
            let CurveStyle { style, marker } = palette.curve((quantity != LOSS).then_some(""));
            let marker = if quantity == LOSS { marker } else { Marker::Braille };
            Shown { name, curve, value, style, marker }
        })
        .into_iter()
        .collect();
    let numbers = state.numbers.iter().filter_map(|(name, curve)| {
        let (on, of) = split(name);
        let CurveStyle { style, marker } = palette.curve(Some(on));
        (of == quantity).then(|| Shown { name: on, curve, value: curve.last(), style, marker })
    });
    shown.extend(numbers);
    shown
}

/// The legend: the quantity and its curves, most important first, truncated to `width` cells.
fn legend(shown: &[Shown], quantity: &str, width: usize) -> Line<'static> {
    let entry = |Shown { name, value, style, marker, .. }: &Shown, with_value: bool| {
        let value =
            value.filter(|_| with_value).map(|value| format!(" {}", number(value))).unwrap_or_default();
        let sign = Palette::sign(*marker);
        let text = if name.is_empty() { format!("{value} ") } else { format!(" {sign} {name}{value} ") };
        Span::styled(text, *style)
    };
    let line = |with_values: bool| {
        let mut line = Line::from(Span::styled(format!(" {quantity} "), Palette::strong()));
        line.extend(
            shown.iter().filter(|shown| shown.name != UPDATES).map(|shown| entry(shown, with_values)),
        );
        line
    };
    let mut full = line(true);
    let updates = shown.iter().find(|shown| shown.name == UPDATES).map(|updates| entry(updates, false));
    if let Some(updates) = updates.filter(|updates| full.width() + updates.width() <= width) {
        full.push_span(updates);
    }
    if full.width() <= width { full } else { line(false) }
}

/// The points as they are drawn; NaN where there is a gap.
fn points(curve: &Curve, log: bool) -> Vec<(f64, f64)> {
    let place = |y: f64| match y {
        y if !y.is_finite() || y.abs() > LARGEST => f64::NAN,
        y if log && y > 0.0 => y.log10(),
        _ if log => f64::NAN,
        y => y,
    };
    curve.points().map(|(x, y)| (x, place(y))).collect()
}

/// The epochs from the first to where the run is now.
fn epochs(state: &State, palette: Palette) -> Axis<'static> {
    let (first, last) = state.span();
    // A tenth of an epoch is enough, so that the label does not flicker.
    let shown = if last < 1.0 { last } else { (10.0 * last).floor() / 10.0 };
    let labels = [short(first), "epoch".to_owned(), short(shown)];
    let labels = labels.map(|label| Span::styled(label, palette.quiet()));
    Axis::default()
        .bounds([first, last])
        .labels(labels)
        .labels_alignment(HorizontalAlignment::Right)
        .style(palette.quiet())
}

fn values(range: (f64, f64), height: u16, log: bool, palette: Palette) -> Axis<'static> {
    let about = usize::from(height / 3).clamp(2, 8);
    // Powers of ten, unless there are too few of them.
    let even = log && range.1 - range.0 < 2.0 && range.1 - range.0 > 1e-3;
    let Ticks { places, step } =
        if even { Ticks { places: evenly(range, about), step: 0.0 } } else { ticks(range, about) };
    let label = |tick: &f64| match log {
        false => tick_label(*tick, step),
        true if even => short(two_digits(10_f64.powf(*tick))),
        true => short(10_f64.powf(*tick)),
    };
    let labels: Vec<Span> = places.iter().map(|tick| Span::styled(label(tick), palette.quiet())).collect();
    Axis::default()
        .bounds([places[0], places[places.len() - 1]])
        .labels(labels)
        .labels_alignment(HorizontalAlignment::Right)
        .style(palette.quiet())
}

/// So many numbers from `low` to `high`.
#[allow(clippy::cast_precision_loss, reason = "a count")]
fn evenly((low, high): (f64, f64), count: usize) -> Vec<f64> {
    (0..count).map(|index| low + (high - low) * index as f64 / (count - 1) as f64).collect()
}

fn two_digits(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor() - 1.0);
    (value / unit).round() * unit
}

/// The numbers at an axis, and what is between two of them.
struct Ticks {
    places: Vec<f64>,
    step: f64,
}

/// About `about` round numbers that enclose the range.
fn ticks((low, high): (f64, f64), about: usize) -> Ticks {
    // A constant has a place in the middle.
    let pad = if high - low > 1e-9 * high.abs().max(low.abs()) { 0.0 } else { (0.1 * high.abs()).max(1e-6) };
    let (low, high) = (low - pad, high + pad);
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let least = (high - low) / (about.max(2) - 1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= least);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let ticks = std::iter::successors(Some(first), |tick| Some(tick + 1.0)).take_while(|tick| *tick <= last);
    Ticks { places: ticks.take(2 * about + 2).map(|tick| tick * step).collect(), step }
}

/// A tick with the decimals that tell it from the next.
fn tick_label(tick: f64, step: f64) -> String {
    // The power of ten of the last digit that counts; that of 2.5 is one further down.
    let whole = |power: &i32| {
        let units = step / 10_f64.powi(*power);
        (units - units.round()).abs() < 1e-6
    };
    #[allow(clippy::cast_possible_truncation, reason = "an exponent")]
    let power = |value: f64| value.log10().floor() as i32;
    let last = [power(step), power(step) - 1].into_iter().find(whole).unwrap_or(power(step));
    // Nought may come out as minus nought.
    let tick = tick + 0.0;
    if last >= -5 && tick.abs() < 1e6 {
        let decimals = usize::try_from(-last).unwrap_or(0);
        return format!("{tick:.decimals$}");
    }
    let digits = if tick == 0.0 { 0 } else { usize::try_from(power(tick.abs()) - last).unwrap_or(0).min(9) };
    format!("{tick:.digits$e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose() {
        let labels = |range| {
            let Ticks { places: ticks, step } = ticks(range, 4);
            ticks.iter().map(|tick| tick_label(*tick, step)).collect::<Vec<_>>()
        };
        assert_eq!(labels((0.05, 2.3)), ["0", "1", "2", "3"]);
        assert_eq!(labels((2.4021, 2.4026)), ["2.4020", "2.4022", "2.4024", "2.4026"]);
        assert_eq!(labels((-0.4, 0.3)), ["-0.50", "-0.25", "0.00", "0.25", "0.50"]);
        assert_eq!(labels((0.0, 1e9)), ["0", "5e8", "1.0e9"]);
        assert_eq!(labels((9.985e-4, 1e-3)), ["9.985e-4", "9.990e-4", "9.995e-4", "1.0000e-3"]);
        let alike = [(1e9, 1e9 + 1.0), (-5e-8, 5e-8), (0.9, 1.0), (3e-5, 9e-5), (1e6 - 1.0, 1e6 + 1.0)];
        for labels in alike.map(labels) {
            assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{labels:?}");
        }
        for range in
            [(1e-3, 1e-3), (0.0, 0.0), (-LARGEST, LARGEST), (1e-300, 2e-300), (-7.0, -7.0), (1e9, 1e9 + 1e-3)]
        {
            let ticks = ticks(range, 4).places;
            let last = ticks[ticks.len() - 1];
            assert!(ticks[0] <= range.0 && last >= range.1 && ticks[0] < last, "{range:?}: {ticks:?}");
            assert!((2..=10).contains(&ticks.len()), "{range:?}: {ticks:?}");
        }
    }

    #[test]
    fn a_log_scale_has_gaps_where_there_is_no_logarithm() {
        let mut curve = Curve::default();
        for (x, y) in [(0.0, 100.0), (1.0, 0.0), (2.0, -1.0), (3.0, f64::NAN), (4.0, 1e-2), (5.0, 1e200)] {
            curve.push(x, y);
        }
        let log: Vec<_> = points(&curve, true).into_iter().filter(|point| point.1.is_finite()).collect();
        assert_eq!(log, [(0.0, 2.0), (4.0, -2.0)]);
        let linear: Vec<_> = points(&curve, false).into_iter().filter(|point| point.1.is_finite()).collect();
        assert_eq!(linear, [(0.0, 100.0), (1.0, 0.0), (2.0, -1.0), (4.0, 1e-2)]);
    }
}
