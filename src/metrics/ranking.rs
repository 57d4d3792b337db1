//! The area under the receiver operating characteristic.

/// The chance that a positive scores higher than a negative, ties counting half: (score, whether positive). NaN where
/// there are no positives or no negatives.
pub(super) fn roc_auc(mut scores: Vec<(f64, bool)>) -> f64 {
    scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut positives, mut negatives, mut area) = (0.0, 0.0, 0.0);
    for tied in scores.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let up = tied.iter().filter(|(_, positive)| *positive).map(|_| 1.0).sum::<f64>();
        let down = tied.iter().filter(|(_, positive)| !positive).map(|_| 1.0).sum::<f64>();
        area += up * (negatives + 0.5 * down);
        positives += up;
        negatives += down;
    }
    area / (positives * negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        // scikit-learn's own example: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75.
        let scores = [0.1, 0.4, 0.35, 0.8].into_iter().zip([false, false, true, true]);
        assert!((roc_auc(scores.collect()) - 0.75).abs() < 1e-15);
        assert!((roc_auc(vec![(0.5, true), (0.5, false)]) - 0.5).abs() < 1e-15);
        assert!(roc_auc(vec![(0.5, true)]).is_nan());
    }
}
