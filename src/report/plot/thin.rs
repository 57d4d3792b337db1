//! Thins long lines without changing how they look.

use crate::stats::real;

/// The indices of the values to draw, at most about `most`: of each stretch the smallest and the largest, so that no
/// peak is lost, and one that cannot be drawn, so that no gap is. The first and the last stay.
pub(crate) fn thin(values: &[f64], most: usize) -> Vec<usize> {
    if values.len() <= most {
        return (0..values.len()).collect();
    }
    let each = if values.iter().all(|value| value.is_finite()) { 2 } else { 3 };
    let stretches = (most.saturating_sub(2) / each).max(1);
    let mut kept = vec![0, values.len() - 1];
    for stretch in 0..stretches {
        let at = |part: usize| part * values.len() / stretches;
        let range = at(stretch)..at(stretch + 1);
        let finite = || range.clone().filter(|index| values[*index].is_finite());
        kept.extend(finite().min_by(|a, b| values[*a].total_cmp(&values[*b])));
        kept.extend(finite().max_by(|a, b| values[*a].total_cmp(&values[*b])));
        kept.extend(range.clone().find(|index| !values[*index].is_finite()));
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// The number of points of a line among `lines`: a chart of thirty runs is no larger than that of eight.
pub(crate) fn points_per_line(lines: usize) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "100 to 500")]
    let most = (4000.0 / real(lines.max(1))).clamp(100.0, 500.0) as usize;
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_and_gaps_stay() {
        let mut values: Vec<f64> = (0..10_000).map(|index| f64::from(index % 7)).collect();
        values[5001] = 99.0;
        values[7002] = -99.0;
        let kept = thin(&values, 500);
        assert!(kept.len() <= 500 && kept.contains(&5001) && kept.contains(&7002));
        assert!(kept.contains(&0) && kept.contains(&9999));
        values[6003] = f64::NAN;
        let kept = thin(&values, 500);
        assert!(kept.len() <= 500 && kept.contains(&6003) && kept.contains(&5001));
    }

    #[test]
    fn short_lines_stay_whole() {
        assert_eq!(thin(&[1.0, f64::NAN, 2.0], 3), [0, 1, 2]);
        assert_eq!(thin(&[], 3), Vec::<usize>::new());
    }
}
