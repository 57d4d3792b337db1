//! The length of the season of a series, by its autocorrelation.

/// The longest season that is looked for, and the most rows that are looked at.
const LONGEST: usize = 2000;
const ROWS: usize = 20_000;
/// How far the autocorrelation rises again, and how high it is at least, at the length of a season: noise of N rows has
/// some of 1/√N.
const RISE: f64 = 0.1;
const LEAST: f64 = 0.2;
const DEVIATIONS: f64 = 4.0;

/// The number of rows after which the values repeat: the lag with the highest autocorrelation behind the first descent;
/// nothing where there is none. Each of the `stretches` is of one target, in the order of time, without a linear trend; a
/// missing value is NaN.
pub(super) fn season_length(stretches: &[Vec<f64>]) -> Option<usize> {
    let longest = stretches.iter().map(Vec::len).max()?.min(ROWS) / 3;
    let lags = longest.min(LONGEST);
    let mut covariances = vec![0.0; lags + 1];
    for values in stretches {
        let values = scaled(&detrended(&values[values.len().saturating_sub(ROWS)..]));
        for (lag, covariance) in covariances.iter_mut().enumerate() {
            let pairs = values.iter().zip(values.iter().skip(lag));
            *covariance += pairs.map(|(a, b)| a * b).sum::<f64>();
        }
    }
    if covariances[0] <= 0.0 {
        return None;
    }
    let correlation = |lag: usize| covariances[lag] / covariances[0];
    // Each stretch is scaled to a sum of squares of its length.
    let least = LEAST.max(DEVIATIONS / covariances[0].sqrt());
    let (mut lowest, mut best) = (1.0f64, None);
    for lag in 1..lags {
        let own = correlation(lag);
        let is_peak = own >= correlation(lag + 1) && own - lowest >= RISE && own >= least;
        if is_peak && best.is_none_or(|best| own > correlation(best)) {
            best = Some(lag);
        }
        lowest = lowest.min(own);
    }
    best
}

/// The values without their linear trend, 0 where one is missing.
fn detrended(values: &[f64]) -> Vec<f64> {
    let known = || values.iter().enumerate().filter(|(_, value)| !value.is_nan());
    let count = crate::stats::real(known().count()).max(1.0);
    let x = crate::stats::real;
    let (mean_x, mean_y) = known().fold((0.0, 0.0), |(a, b), (at, y)| (a + x(at) / count, b + y / count));
    let (squares, products) = known().fold((0.0, 0.0), |(a, b), (at, y)| {
        let apart = x(at) - mean_x;
        (a + apart * apart, b + apart * (y - mean_y))
    });
    let slope = if squares > 0.0 { products / squares } else { 0.0 };
    let rest = |(at, y): (usize, &f64)| if y.is_nan() { 0.0 } else { y - mean_y - slope * (x(at) - mean_x) };
    values.iter().enumerate().map(rest).collect()
}

/// Values in units of their spread, so that targets of all units count alike.
fn scaled(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let squares: f64 = values.iter().map(|value| (value / largest).powi(2)).sum();
    let spread = largest * (squares / crate::stats::real(values.len()).max(1.0)).sqrt();
    // What rounding leaves of a straight line is no season.
    if spread > 1e-9 && spread.is_finite() {
        values.iter().map(|value| value / spread).collect()
    } else {
        vec![0.0; values.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    fn noise(count: usize) -> Vec<f64> {
        Draws::new(1).normal(count, 1.0).to_vec1().unwrap()
    }

    #[test]
    fn the_season_of_saw_teeth_with_noise_and_trend_is_found() {
        for period in [2usize, 7, 12, 24, 168] {
            let noise = noise(8 * period + 100);
            // Saw teeth: noise hides which of two neighbouring lags is the season of a smooth wave.
            let wave = |at: usize| crate::stats::real(at % period) / crate::stats::real(period);
            let values = noise.iter().enumerate();
            let values =
                values.map(|(at, noise)| 6.0 * wave(at) + 0.5 * noise + 0.02 * crate::stats::real(at));
            assert_eq!(season_length(&[values.collect()]), Some(period));
        }
    }

    #[test]
    fn the_longer_of_two_seasons_is_taken_where_it_repeats_better() {
        // Hours of a day, and lower on two days of the week.
        let hour = |at: usize| f64::from(u8::try_from((at % 24).abs_diff(12)).unwrap());
        let value = |at: usize| hour(at) * if (at / 24) % 7 >= 5 { 0.3 } else { 1.0 };
        assert_eq!(season_length(&[(0..2000).map(value).collect()]), Some(168));
    }

    #[test]
    fn without_a_season_there_is_none() {
        assert_eq!(season_length(&[noise(500)]), None);
        assert_eq!(season_length(&[(0..100).map(crate::stats::real).collect()]), None);
        assert_eq!(season_length(&[vec![1.0; 50], Vec::new(), vec![f64::NAN; 9]]), None);
        assert_eq!(season_length(&[]), None);
        // A walk that forgets slowly.
        let walk: Vec<f64> = noise(400)
            .iter()
            .scan(0.0, |at, step| {
                *at = 0.5 * *at + step;
                Some(*at)
            })
            .collect();
        assert_eq!(season_length(&[walk]), None);
    }
}
