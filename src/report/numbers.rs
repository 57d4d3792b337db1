//! Formats numbers for readers.

/// The placeholder of a missing number.
pub(crate) const NONE: &str = "–";

/// A measured number to about four places, with a true minus sign.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if value.is_nan() => return "NaN".to_owned(),
        _ if size.is_infinite() => "∞".to_owned(),
        0.0 => return "0".to_owned(),
        _ if !(0.001..1e7).contains(&size) => short_exponent(size, 2),
        _ if size < 10.0 => format!("{size:.4}"),
        _ if size < 100.0 => format!("{size:.3}"),
        _ if size < 1000.0 => format!("{size:.2}"),
        _ => thousands(&format!("{size:.0}")),
    };
    signed(value, &text)
}

/// A number of things; what is not finite is [`NONE`].
pub(crate) fn count(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let size = value.abs();
    let text = if size < 1e15 { thousands(&format!("{size:.0}")) } else { short_exponent(size, 2) };
    signed(value, &text)
}

/// Rows that count as often as their weights say: whole where they are.
pub(crate) fn rows(count: f64) -> String {
    if count.fract() == 0.0 && count.abs() < 1e20 { format!("{count:.0}") } else { number(count) }
}

/// A share of 1 in per cent.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { NONE.to_owned() }
}

/// Seconds to a hundredth.
pub(crate) fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{value:.2}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    if whole.starts_with('-') { text } else { format!("{}.{part}", thousands(whole)) }
}

/// The label of a tick, given how far apart the ticks are and the largest of them.
pub(crate) fn tick(value: f64, step: f64, largest: f64) -> String {
    let size = value.abs();
    if size < step / 1e6 {
        return "0".to_owned();
    }
    let text = if largest >= 1e15 || step < 1e-4 {
        // As many digits as tell a tick from the next.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count of digits")]
        let digits =
            ((size.log10() + 1e-9).floor() - (step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
        short_exponent(size, digits.max(1))
    } else {
        let (unit, letter) = match largest {
            l if l >= 1e12 => (1e12, "T"),
            l if l >= 1e9 => (1e9, "G"),
            l if l >= 1e6 => (1e6, "M"),
            l if l >= 2e4 => (1e3, "k"),
            _ => (1.0, ""),
        };
        let places = places(step / unit);
        let text = format!("{:.places$}", size / unit);
        if unit > 1.0 {
            text + letter
        } else if places == 0 {
            thousands(&text)
        } else {
            text
        }
    };
    signed(value, &text)
}

/// The decimals that tell multiples of a step apart.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count of decimals")]
fn places(step: f64) -> usize {
    (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize
}

/// As 1.25e-4, without zeros at the end of the digits.
pub(crate) fn short_exponent(size: f64, places: usize) -> String {
    let text = format!("{size:.places$e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{digits}e{exponent}")
}

fn signed(value: f64, text: &str) -> String {
    format!("{}{text}", if value < 0.0 { "−" } else { "" })
}

/// Digits in groups of three: 1234567 as 1,234,567.
pub(crate) fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of rows as a number to calculate with.
#[allow(clippy::cast_precision_loss, reason = "shares need no more than 53 bits")]
pub(crate) fn real64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.98123, "0.9812"), (-12.3456, "−12.346"), (0.000_1, "1e-4"), (1.234e9, "1.23e9")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!([number(f64::NAN), number(f64::NEG_INFINITY), number(0.0)], ["NaN", "−∞", "0"]);
        assert_eq!([count(1_234_567.0), count(f64::NAN)], ["1,234,567", NONE]);
        assert_eq!([seconds(1234.567), percent(0.125)], ["1,234.57", "12.5 %"]);
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!([tick(0.5, 0.1, 1.0), tick(-0.25, 0.05, 1.0)], ["0.5", "−0.25"]);
        assert_eq!([tick(2000.0, 500.0, 4000.0), tick(60_000.0, 20_000.0, 60_000.0)], ["2,000", "60k"]);
        assert_eq!([tick(2.5e6, 5e5, 3e6), tick(2e-5, 1e-5, 4e-5)], ["2.5M", "2e-5"]);
        assert_eq!(tick(-1e-17, 0.1, 1.0), "0");
        // A learning rate that changes little has ticks that differ.
        assert_eq!([tick(1.1e-3, 2e-5, 1.2e-3), tick(1.12e-3, 2e-5, 1.2e-3)], ["1.1e-3", "1.12e-3"]);
        assert_eq!([tick(1e15, 1e12, 2e15), tick(1.001e15, 1e12, 2e15)], ["1e15", "1.001e15"]);
    }
}
