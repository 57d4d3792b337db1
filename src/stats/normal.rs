//! The normal distribution: its function and the inverse of it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The probability of a number of at most `z`, as `scipy.stats.norm.cdf`.
pub(crate) fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The number with this probability of a number at or below it, as `scipy.stats.norm.ppf`; infinite at 0 and 1.
///
/// The rational functions are P. J. Acklam's, with nine digits; a step of Halley's method makes sixteen of them.
pub(crate) fn quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    // Beyond the middle 1 - p is exact, and its rounding is small beside the small tail.
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    let z = approximation(p);
    let error = (cdf(z) - p) * (2.0 * PI).sqrt() * (z * z / 2.0).exp();
    z - error / (1.0 + z * error / 2.0)
}

/// Of a probability up to a half.
fn approximation(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let polynomial = |of: &[f64], x: f64| of.iter().fold(0.0, |sum, coefficient| sum * x + coefficient);
    if p < 0.02425 {
        let q = (-2.0 * p.ln()).sqrt();
        return polynomial(&C, q) / polynomial(&D, q);
    }
    let q = p - 0.5;
    q * polynomial(&A, q * q) / polynomial(&B, q * q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_scipys() {
        // scipy.stats.norm.ppf
        for (p, z) in [
            (1e-7, -5.199_337_582_192_816_4),
            (0.001, -3.090_232_306_167_813_5),
            (0.024, -1.977_368_428_181_947_4),
            (0.3, -0.524_400_512_708_040_9),
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (1.0 - 1e-7, 5.199_337_582_290_661),
        ] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}: {}", quantile(p));
            assert!((cdf(z) - p).abs() < 1e-15, "{z}: {}", cdf(z));
        }
        assert!(quantile(0.0).is_infinite() && quantile(1.0).is_infinite());
    }
}
