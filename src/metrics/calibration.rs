//! Whether what is said with 80 % confidence is right in 80 % of the cases: Guo et al. 2017,
//! <https://arxiv.org/abs/1706.04599>.

const BINS: usize = 15;

/// Bins of equal width over the confidence, 0 to 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Calibration {
    /// Count, sum of confidences, right ones.
    bins: [(f64, f64, f64); BINS],
}

impl Calibration {
    /// Counts a prediction that was made with this confidence.
    pub(super) fn add(&mut self, confidence: f64, right: bool) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a bin's number; NaN and negative numbers land in the first"
        )]
        // A bin holds its upper edge, not its lower one, as in the paper.
        let index = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let (count, sum, hits) = &mut self.bins[index];
        *count += 1.0;
        *sum += confidence;
        *hits += f64::from(u8::from(right));
    }

    /// For each bin that has rows its mean confidence, the share that was right, and the rows.
    pub(super) fn bins(&self) -> Vec<(f64, f64, u64)> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let bin = |(count, sum, hits): &(f64, f64, f64)| (sum / count, hits / count, *count as u64);
        self.bins.iter().filter(|(count, ..)| *count > 0.0).map(bin).collect()
    }

    /// The expected calibration error: the distance of confidence and accuracy, averaged over the bins by their counts.
    pub(super) fn error(&self) -> f64 {
        let total: f64 = self.bins.iter().map(|bin| bin.0).sum();
        self.bins.iter().map(|(_, sum, hits)| (sum - hits).abs()).sum::<f64>() / total
    }
}
