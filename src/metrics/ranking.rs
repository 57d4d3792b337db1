//! Metrics of the order of the scores: the area under the ROC curve, and average precision.

/// The score of a row, and how much the row counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    pub(super) score: f64,
    pub(super) weight: f64,
}

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
    pub(super) fn new(mut positive: Vec<Score>, mut negative: Vec<Score>) -> Self {
        positive.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        negative.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let (all, others) = (weight_of(&positive), weight_of(&negative));
        let (mut above, mut wrong, mut area, mut average) = (0.0, 0.0, 0.0, 0.0);
        let (mut positive, mut negative) = (positive.as_slice(), negative.as_slice());
        while let Some(score) = highest(positive, negative) {
            let (up, down) = (take_equal(&mut positive, score), take_equal(&mut negative, score));
            above += up;
            wrong += down;
            area += up * (others - wrong + 0.5 * down);
            // Before rows that count there is no precision.
            if up > 0.0 {
                average += up / all * (above / (above + wrong));
            }
        }
        Self { roc_auc: area / (all * others), average_precision: if all == 0.0 { 0.0 } else { average } }
    }
}

/// The weight of rows.
fn weight_of(scores: &[Score]) -> f64 {
    scores.iter().map(|score| score.weight).sum()
}

/// The highest score that is left of both.
fn highest(positive: &[Score], negative: &[Score]) -> Option<f64> {
    let firsts = positive.first().into_iter().chain(negative.first());
    firsts.map(|score| score.score).max_by(f64::total_cmp)
}

/// Takes the scores equal to this one off the front; gives their weight.
fn take_equal(scores: &mut &[Score], score: f64) -> f64 {
    let count = scores.iter().take_while(|own| own.score.total_cmp(&score).is_eq()).count();
    let (equal, rest) = scores.split_at(count);
    *scores = rest;
    weight_of(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        // scikit-learn's own examples: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75,
        // average_precision_score of the same 0.8333…
        let scores =
            |scores: &[f64]| scores.iter().map(|score| Score { score: *score, weight: 1.0 }).collect();
        let ranking = Ranking::new(scores(&[0.35, 0.8]), scores(&[0.1, 0.4]));
        assert!((ranking.roc_auc - 0.75).abs() < 1e-15);
        assert!((ranking.average_precision - 5.0 / 6.0).abs() < 1e-15);
        assert!((Ranking::new(scores(&[0.5]), scores(&[0.5])).roc_auc - 0.5).abs() < 1e-15);
        assert!(Ranking::new(scores(&[0.5]), Vec::new()).roc_auc.is_nan());
    }
}
