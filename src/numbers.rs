//! Numbers in messages, in as many digits as say something.

/// A number with four decimals, or as 3.05e28 where these would say nothing or too much.
pub(crate) fn number(value: f64) -> String {
    number_to(value, 4)
}

/// A number with `decimals` decimals, three or more; with the same number of digits and an exponent if it is very small
/// or large.
pub(crate) fn number_to(value: f64, decimals: usize) -> String {
    // Adding 0 takes the sign from -0.
    let (value, size) = (value + 0.0, value.abs());
    let smallest = (1..decimals).fold(1.0, |smallest, _| smallest / 10.0);
    if size == 0.0 || !size.is_finite() || (smallest..1e7).contains(&size) {
        return format!("{value:.decimals$}");
    }
    format!("{value:.*e}", decimals.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_more_digits_than_they_need() {
        let texts =
            [0.98123, 0.0, 1234.5, -0.25, 30_500_186_352_016_950_021_630_984_192.0, 4.2e-5].map(number);
        assert_eq!(texts, ["0.9812", "0.0000", "1234.5000", "-0.2500", "3.05e28", "4.20e-5"]);
        assert_eq!([number(f64::NAN), number(f64::INFINITY), number_to(1e-4, 6)], ["NaN", "inf", "0.000100"]);
        assert_eq!(number(-0.0), "0.0000");
        assert_eq!(number_to(-1.234_567e9, 6), "-1.2346e9");
    }
}
