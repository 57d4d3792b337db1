//! The threshold that gives the best F1.

use super::ranking::Score;

/// A threshold, and the F1 of the rows that it was chosen on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestThreshold {
    /// The probability from which a row is predicted as the positive class.
    pub threshold: f64,
    /// The F1 of the positive class.
    pub f1: f64,
}

/// The score of a row, and whether the row is positive.
#[derive(Debug, Clone, Copy)]
pub(super) struct LabelledScore {
    pub(super) of: Score,
    pub(super) is_positive: bool,
}

impl BestThreshold {
    /// The best threshold for rows with these scores; of equally good ones the highest. It is
    /// in the middle between two scores, so that the rounding of a probability does not change a prediction. `None` if
    /// no row is positive.
    pub(super) fn of(mut rows: Vec<LabelledScore>) -> Option<Self> {
        rows.sort_unstable_by(|a, b| b.of.score.total_cmp(&a.of.score));
        let weight = |row: &LabelledScore| if row.is_positive { row.of.weight } else { 0.0 };
        let positives: f64 = rows.iter().map(weight).sum();
        let mut best: Option<Self> = None;
        let (mut correct, mut predicted) = (0.0, 0.0);
        for (index, row) in rows.iter().enumerate() {
            correct += weight(row);
            predicted += row.of.weight;
            let (score, next) = (row.of.score, rows.get(index + 1).map_or(0.0, |next| next.of.score));
            // Rows with equal scores are predicted alike.
            if index + 1 < rows.len() && next >= score {
                continue;
            }
            let f1 = super::ratio_or_zero(2.0 * correct, predicted + positives);
            if correct > 0.0 && best.is_none_or(|best| f1 > best.f1) {
                best = Some(Self { threshold: f64::midpoint(score, next), f1 });
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(scores: impl IntoIterator<Item = (f64, bool)>) -> Vec<LabelledScore> {
        let row = |(score, is_positive)| LabelledScore { of: Score { score, weight: 1.0 }, is_positive };
        scores.into_iter().map(row).collect()
    }

    #[test]
    fn the_threshold_has_the_best_f1_of_all_that_tell_the_rows_apart() {
        // max of 2 P R / (P + R) over sklearn.metrics.precision_recall_curve(y, s):
        // y = [0, 1, 0, 1, 1, 0, 0], s = [0.1, 0.4, 0.35, 0.8, 0.4, 0.6, 0.2] gives 0.857142… at 0.4.
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.6, 0.2];
        let positive = [false, true, false, true, true, false, false];
        let best = BestThreshold::of(rows(scores.into_iter().zip(positive))).unwrap();
        assert!((best.f1 - 6.0 / 7.0).abs() < 1e-15);
        assert!((best.threshold - 0.375).abs() < 1e-15);
    }

    #[test]
    fn without_a_positive_row_there_is_none() {
        assert_eq!(BestThreshold::of(rows([(0.3, false), (0.9, false)])), None);
        assert_eq!(BestThreshold::of(Vec::new()), None);
        let all = BestThreshold::of(rows([(0.3, true)])).unwrap();
        assert!((all.threshold - 0.15).abs() < 1e-15 && (all.f1 - 1.0).abs() < 1e-15);
    }
}
