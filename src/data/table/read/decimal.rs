//! Numbers in text, to the bits that `str::parse` gives.

/// The most characters of a short number besides its sign.
const LONGEST: usize = 16;
/// The powers of ten that divide one; all are exact.
const POWERS: [f64; LONGEST] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Up to here every whole number is an f64.
const EXACT: u64 = 1 << 53;

/// The number that a text is. Those of a few digits, which most are, take half as long as by `str::parse`.
#[inline]
pub(super) fn parse(text: &str) -> Option<f64> {
    short(text.as_bytes()).or_else(|| text.parse().ok())
}

/// A number of a few digits and no exponent: the quotient of two exact numbers, which is rounded once (Clinger 1990).
#[inline]
fn short(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > LONGEST {
        return None;
    }
    let (mut whole, mut point) = (0, None);
    for (place, byte) in digits.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..10 => whole = whole * 10 + u64::from(digit),
            _ if *byte == b'.' && point.is_none() => point = Some(place),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |place| digits.len() - 1 - place);
    if digits.len() == usize::from(point.is_some()) || whole > EXACT {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "at most 2^53")]
    let number = whole as f64 / POWERS[decimals];
    Some(if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    /// Texts at the edges of what is a number, and of what is a short one.
    const ODD: &str = "- . -. + +1.5 1. .5 -.5 -0 0 -0.0 00012.50 1..2 1.2.3 --1 1e5 1,5 nan inf -inf 0x1 １ 9007199254740992 \
                       9007199254740993 9007199254740991. 0.000000000000001 .000000000000001 123456789012345.6 \
                       1234567890123456 -1234567890.12345 99999999999999999999";

    #[test]
    fn numbers_have_the_bits_of_the_standard_library() {
        for text in ODD.split(' ').chain(["", " 1", "1 "]) {
            let expected: Option<f64> = text.parse().ok();
            assert_eq!(parse(text).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
        }
        let numbers = Draws::new(3).normal(4000, 1.0).to_vec1::<f64>().unwrap();
        for (place, number) in numbers.into_iter().enumerate() {
            let number = number * 10f64.powi(i32::try_from(place % 19).unwrap() - 6);
            for decimals in 0..18 {
                let text = format!("{number:.decimals$}");
                let expected: f64 = text.parse().unwrap();
                assert_eq!(parse(&text).map(f64::to_bits), Some(expected.to_bits()), "{text}");
            }
        }
    }

    #[test]
    fn most_numbers_are_short() {
        for text in ["1", "-12.75", "1.288185", ".5", "5."] {
            assert!(short(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["1e5", "1.2881847531554629", "nan", "9007199254740993"] {
            assert!(short(text.as_bytes()).is_none(), "{text}");
        }
    }
}
