//! Reliability of the predicted probabilities: Guo et al. 2017, <https://arxiv.org/abs/1706.04599>.

const BINS: usize = 15;

/// Rows counted in 15 bins of equal width by confidence, the probability of the predicted class.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Calibration {
    bins: [BinSums; BINS],
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct BinSums {
    count: f64,
    confidence: f64,
    correct: f64,
}

/// A bin of a reliability diagram that has rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The mean confidence.
    pub confidence: f64,
    /// The fraction of the rows that is correct.
    pub accuracy: f64,
    /// The rows, as often as their weights say.
    pub count: f64,
}

impl Calibration {
    /// Counts a prediction as often as its weight says.
    pub(super) fn add(&mut self, confidence: f64, correct: bool, weight: f64) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a bin's number; NaN and negative numbers land in the first"
        )]
        // A bin holds its upper edge, not its lower one, as in the paper.
        let index = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let bin = &mut self.bins[index];
        bin.count += weight;
        bin.confidence += weight * confidence;
        bin.correct += if correct { weight } else { 0.0 };
    }

    /// The bins that have rows.
    pub(super) fn bins(&self) -> Vec<CalibrationBin> {
        let mean = |bin: &BinSums| CalibrationBin {
            confidence: bin.confidence / bin.count,
            accuracy: bin.correct / bin.count,
            count: bin.count,
        };
        self.bins.iter().filter(|bin| bin.count > 0.0).map(mean).collect()
    }

    /// The expected calibration error: |confidence − accuracy|, averaged over the bins by their counts.
    pub(super) fn error(&self) -> f64 {
        let total: f64 = self.bins.iter().map(|bin| bin.count).sum();
        self.bins.iter().map(|bin| (bin.confidence - bin.correct).abs()).sum::<f64>() / total
    }
}
