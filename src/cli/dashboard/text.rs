//! Numbers, times and messages as text.

/// A number in about five characters; similar numbers have the same length.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => value.to_string(),
        0.0 => "0".to_owned(),
        size if !(1e-3..1e6).contains(&size) => format!("{value:.2e}"),
        size if size >= 1e3 => format!("{value:.0}"),
        size if size >= 1e2 => format!("{value:.1}"),
        size if size >= 1e1 => format!("{value:.2}"),
        size if size >= 1e0 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

/// A number as short as it goes: 0.5, 12, 3e-5.
pub(super) fn short(value: f64) -> String {
    let text = number(value);
    let (digits, exponent) = text.split_at(text.find('e').unwrap_or(text.len()));
    if digits.contains('.') {
        format!("{}{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
    } else {
        text
    }
}

/// Seconds as 42s, 6m 12s, 3h 05m or 2d 04h.
pub(super) fn time(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time for the eye")]
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        // About three years and beyond: no one waits for that.
        100_000_000.. => "years".to_owned(),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The text with what would steer a terminal written out, down to the marks that turn its direction.
pub(super) fn escaped(text: &str) -> String {
    let steers = |c: char| {
        let marks = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        c.is_control() || marks || c == '\u{feff}'
    };
    let escape = |c: char| match c {
        '\t' => " ".to_owned(),
        c if steers(c) => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// The text in lines of `width` cells at most.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let cells = ratatui::text::Span::raw(c.to_string()).width();
        if used + cells > width && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        used += cells;
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let values = [0.3321, 12.0, 1234.5, 1e-4, -0.5, 0.0, f64::NAN, f64::NEG_INFINITY];
        let texts = ["0.3321", "12.00", "1234", "1.00e-4", "-0.5000", "0", "NaN", "-inf"];
        assert_eq!(values.map(number), texts);
        assert_eq!([1e-4, 0.25, 100.0, 1500.0, 2.5e-7].map(short), ["1e-4", "0.25", "100", "1500", "2.5e-7"]);
    }

    #[test]
    fn times_are_short() {
        let times = [0.4, 59.9, 372.0, 11_100.0, 187_200.0, f64::INFINITY].map(time);
        assert_eq!(times, ["0s", "59s", "6m 12s", "3h 05m", "2d 04h", "years"]);
    }

    #[test]
    fn text_does_not_steer() {
        assert_eq!(escaped("a\x1b[2Jb\x07\tc\u{202e}d\u{9b}"), "a\\u{1b}[2Jb\\u{7} c\\u{202e}d\\u{9b}");
        assert_eq!(escaped("naïve 'e\u{301}' \\ 日本"), "naïve 'e\u{301}' \\ 日本");
    }

    #[test]
    fn wrapping_counts_cells() {
        assert_eq!(wrap("abcde", 2), ["ab", "cd", "e"]);
        assert_eq!(wrap("日本語", 5), ["日本", "語"]);
        // Nothing fits, and still it ends.
        assert_eq!(wrap("日本", 1), ["日", "本"]);
        assert_eq!(wrap("", 0), [""]);
    }
}
