//! Metrics of the order of the scores: the area under the ROC curve, and average precision.

use crate::stats::real;

/// The quality of a ranking: positive rows before negative ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranking {
    /// The probability that a positive row scores higher than a negative one, ties counting half; NaN where there are
    /// no positive or no negative rows.
    pub(super) roc_auc: f64,
    /// `Σ (R_k − R_{k−1}) P_k` over the distinct scores from the highest, with recall R and precision P; 0 without
    /// positive rows, as in scikit-learn.
    pub(super) average_precision: f64,
}

impl Ranking {
    /// The ranking of the scores of the positive and of the negative rows.
    pub(super) fn new(mut positive: Vec<f64>, mut negative: Vec<f64>) -> Self {
        positive.sort_unstable_by(|a, b| b.total_cmp(a));
        negative.sort_unstable_by(|a, b| b.total_cmp(a));
        let (all, others) = (real(positive.len()), real(negative.len()));
        let (mut above, mut wrong, mut area, mut average) = (0.0, 0.0, 0.0, 0.0);
        let (mut positive, mut negative) = (positive.as_slice(), negative.as_slice());
        while let Some(score) = highest(positive, negative) {
            let (up, down) = (take_equal(&mut positive, score), take_equal(&mut negative, score));
            above += up;
            wrong += down;
            area += up * (others - wrong + 0.5 * down);
            average += up / all * (above / (above + wrong));
        }
        Self { roc_auc: area / (all * others), average_precision: if all == 0.0 { 0.0 } else { average } }
    }
}

/// The highest score that is left of both.
fn highest(positive: &[f64], negative: &[f64]) -> Option<f64> {
    positive.first().into_iter().chain(negative.first()).copied().max_by(f64::total_cmp)
}

/// Takes the scores equal to this one off the front; gives their number.
fn take_equal(scores: &mut &[f64], score: f64) -> f64 {
    let count = scores.iter().take_while(|own| own.total_cmp(&score).is_eq()).count();
    *scores = &scores[count..];
    real(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        // scikit-learn's own examples: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75,
        // average_precision_score of the same 0.8333…
        let ranking = Ranking::new(vec![0.35, 0.8], vec![0.1, 0.4]);
        assert!((ranking.roc_auc - 0.75).abs() < 1e-15);
        assert!((ranking.average_precision - 5.0 / 6.0).abs() < 1e-15);
        assert!((Ranking::new(vec![0.5], vec![0.5]).roc_auc - 0.5).abs() < 1e-15);
        assert!(Ranking::new(vec![0.5], Vec::new()).roc_auc.is_nan());
    }
}
