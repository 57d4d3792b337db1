//! Colours and marks, which say the same: without colours the marks are enough.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;

/// The style of a curve.
pub(super) struct CurveStyle {
    pub(super) style: Style,
    pub(super) marker: Marker,
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    color: bool,
}

impl Palette {
    pub(super) fn new(color: bool) -> Self {
        Self { color }
    }

    fn of(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// Frames and explanations.
    pub(super) fn quiet(self) -> Style {
        if self.color { self.of(Color::DarkGray) } else { Style::new().add_modifier(Modifier::DIM) }
    }

    pub(super) fn strong() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn done(self) -> Style {
        self.of(Color::Cyan)
    }

    pub(super) fn warning(self) -> Style {
        self.of(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub(super) fn error(self) -> Style {
        self.of(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// The look of the curve of a split; `None` is what is noted along the way.
    pub(super) fn curve(self, split: Option<&str>) -> CurveStyle {
        let (color, mark) = match split {
            None => (Color::DarkGray, None),
            Some("train") => (Color::Cyan, Some('+')),
            Some("val") => (Color::Magenta, Some('•')),
            Some("train_end") => (Color::Green, Some('o')),
            Some(_) => (Color::Blue, Some('x')),
        };
        let marker = mark.filter(|_| !self.color).map_or(Marker::Braille, Marker::Custom);
        CurveStyle { style: self.of(color), marker }
    }

    /// The mark as a legend shows it.
    pub(super) fn sign(marker: Marker) -> char {
        if let Marker::Custom(mark) = marker { mark } else { '─' }
    }
}
