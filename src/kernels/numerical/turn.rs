//! Cosine and sine of parts of a turn, without branches or calls, so that a loop over them becomes vector instructions.

use std::f64::consts::PI;

use crate::kernels::storage::Float;

/// The coefficients of Taylor's series of the sine and the cosine, from the highest power down to the third and the second: up
/// to an eighth of a turn the next ones are below the rounding of f64.
const SINE: [f64; 7] = [
    -1.0 / 1_307_674_368_000.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5_040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
];
const COSINE: [f64; 8] = [
    1.0 / 20_922_789_888_000.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 479_001_600.0,
    -1.0 / 3_628_800.0,
    1.0 / 40_320.0,
    -1.0 / 720.0,
    1.0 / 24.0,
    -0.5,
];

/// `cos(2π x)` and `sin(2π x)`.
#[inline(always)]
pub(super) fn turn<T: Float>(x: T) -> [T; 2] {
    let of = T::of;
    let quarter = (x * of(4.0) + of(0.5)).floor();
    let angle = (x - quarter * of(0.25)) * of(2.0 * PI);
    let z = angle * angle;
    let mut sine = of(SINE[0]);
    for coefficient in &SINE[1..] {
        sine = sine * z + of(*coefficient);
    }
    let sine = sine * z * angle + angle;
    let mut cosine = of(COSINE[0]);
    for coefficient in &COSINE[1..] {
        cosine = cosine * z + of(*coefficient);
    }
    let cosine = cosine * z + of(1.0);
    // The number of the quarter: 0, 1, 2 or 3.
    let quarter = quarter - (quarter * of(0.25)).floor() * of(4.0);
    let is_odd = (quarter > of(0.5) && quarter < of(1.5)) || quarter > of(2.5);
    let (along, across) = if is_odd { (sine, cosine) } else { (cosine, sine) };
    let cos = if quarter > of(0.5) && quarter < of(2.5) { -along } else { along };
    let sin = if quarter > of(1.5) { -across } else { across };
    [cos, sin]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_that_of_the_standard_library() {
        for step in -20_000..20_000 {
            let x = f64::from(step) * 0.000_713;
            let angle = 2.0 * PI * (x - x.round());
            let [cos, sin] = turn(x);
            assert!(
                (cos - angle.cos()).abs() < 3e-15 && (sin - angle.sin()).abs() < 3e-15,
                "{x}: {cos} {sin}"
            );
            #[allow(clippy::cast_possible_truncation, reason = "the test of the other type")]
            let narrow = x as f32;
            let [cos, sin] = turn(narrow);
            let angle = 2.0 * PI * f64::from(narrow);
            assert!(
                (f64::from(cos) - angle.cos()).abs() < 1e-6 && (f64::from(sin) - angle.sin()).abs() < 1e-6
            );
        }
        assert!(turn(f64::NAN)[0].is_nan() && turn(f32::INFINITY)[1].is_nan());
    }
}
