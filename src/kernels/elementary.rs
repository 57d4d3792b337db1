//! `e^x`, tanh and the logistic sigmoid in f32 without branches or calls, so that a loop over them becomes vector
//! instructions: the C library's are a call each, which took half of a recurrent layer's time.
//!
//! The polynomials are those of S. Moshier's Cephes, <https://www.netlib.org/cephes/> (single precision, `expf` and
//! `tanhf`); the error is at most 2 units in the last place, and every machine gives the same bits.

/// 1.5 · 2²³: adding it rounds a small number to an integer, which then is in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// `2^k` for k from -126 to 127.
#[inline(always)]
fn power_of_two(k: i32) -> f32 {
    f32::from_bits(((k + 127) << 23).cast_unsigned())
}

/// A power of e: `(1 + fraction) · 2^exponent`.
struct PowerOfE {
    fraction: f32,
    exponent: i32,
}

/// `e^x` for x from -104 to 89.
#[inline(always)]
fn power_of_e(x: f32) -> PowerOfE {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts; the first has few bits, so its product is exact.
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let p = 1.987_569_1e-4f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    let exponent = shifted.to_bits().cast_signed().wrapping_sub(ROUND.to_bits().cast_signed());
    PowerOfE { fraction: p.mul_add(r * r, r), exponent }
}

/// `e^x`
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Beyond these the result is infinite or 0; comparisons let NaN through.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let PowerOfE { fraction, exponent } = power_of_e(x);
    // In two steps: 2^exponent itself may be too small or too large for an f32.
    let half = exponent >> 1;
    (fraction + 1.0) * power_of_two(half) * power_of_two(exponent.wrapping_sub(half))
}

/// `e^x` where x is at least -87; infinite from 88.4 on, and at most 89 is looked at.
#[inline(always)]
fn exp_of_normal(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let PowerOfE { fraction, exponent } = power_of_e(x);
    (fraction + 1.0) * power_of_two(exponent)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let p = -5.704_988_7e-3f32;
    let p = p.mul_add(z, 2.063_908_8e-2);
    let p = p.mul_add(z, -5.373_971_6e-2);
    let p = p.mul_add(z, 1.333_144_2e-1);
    let p = p.mul_add(z, -3.333_328e-1);
    let near = (p * z).mul_add(x, x).copysign(x);
    let far = (1.0 - 2.0 / (exp_of_normal(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// `1 / (1 + e^-x)`; 0 below -88.4, where it is no normal number.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    // Above, the power vanishes beside 1.
    let x = if x > 87.0 { 87.0 } else { x };
    1.0 / (1.0 + exp_of_normal(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance of `ours` from the exact value in units of the exact value's last place.
    fn units(ours: f32, exact: f64) -> f64 {
        #[allow(clippy::cast_possible_truncation, reason = "the nearest f32 is what is asked for")]
        let nearest = exact as f32;
        if ours.to_bits() == nearest.to_bits() || (ours.is_nan() && exact.is_nan()) {
            return 0.0;
        }
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(ours) - exact).abs() / unit
    }

    /// Numbers of both signs and of every size, all near each other in their bits.
    fn numbers() -> impl Iterator<Item = f32> {
        (0..=f32::INFINITY.to_bits()).step_by(9_973).map(f32::from_bits).flat_map(|x| [x, -x])
    }

    #[test]
    fn all_are_right_to_two_units_in_the_last_place() {
        for x in numbers() {
            let wide = f64::from(x);
            assert!(units(exp(x), wide.exp()) <= 2.0, "exp({x}) = {}", exp(x));
            assert!(units(tanh(x), wide.tanh()) <= 2.0, "tanh({x}) = {}", tanh(x));
            let exact = 1.0 / (1.0 + (-wide).exp());
            let right = units(sigmoid(x), exact) <= 2.0 || (exact < 1.2e-38 && sigmoid(x) < 1.2e-38);
            assert!(right, "sigmoid({x}) = {}", sigmoid(x));
        }
    }

    #[test]
    fn the_ends_are_as_they_should_be() {
        assert!([exp, tanh, sigmoid].map(|f| f(f32::NAN).is_nan()) == [true; 3]);
        let ends = [
            exp(f32::INFINITY),
            exp(f32::NEG_INFINITY),
            exp(0.0),
            exp(-0.0),
            tanh(f32::INFINITY),
            tanh(-40.0),
            sigmoid(f32::INFINITY),
            sigmoid(f32::NEG_INFINITY),
        ];
        let expected = [f32::INFINITY, 0.0, 1.0, 1.0, 1.0, -1.0, 1.0, 0.0];
        assert_eq!(ends.map(f32::to_bits), expected.map(f32::to_bits));
        assert_eq!(tanh(-0.0).to_bits(), (-0.0f32).to_bits());
    }
}
