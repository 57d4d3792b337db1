//! ROC and precision-recall curves of a data set, as scikit-learn's `roc_curve` and `precision_recall_curve` have them.

use crate::data::{Dataset, Task};
use crate::error::Result;
use crate::metrics::ClassRows;
use crate::report::RankingCurves;
use crate::trainer::Trainer;

use super::batches::for_each_batch;

/// The most classes that are shown.
const CLASSES: usize = 10;
/// The most points of a curve.
const POINTS: usize = 400;

/// The classes whose curves against all others are drawn: of two classes the positive one. Empty for several labels,
/// for many classes, and if a class has no rows.
pub(super) fn of(trainer: &Trainer, data: &Dataset) -> Result<Vec<RankingCurves>> {
    let info = data.target_info();
    if !matches!(trainer.loss().task(), Task::Classes { .. } | Task::Labels) || info.classes.len() > CLASSES {
        return Ok(Vec::new());
    }
    let mut scores: Vec<Vec<RankedRow>> = Vec::new();
    for_each_batch(trainer, data, |first, predictions, ys| {
        let rows: Vec<u32> = (u32::try_from(first).unwrap_or(u32::MAX)..).take(ys.dims()[0]).collect();
        let weights = data.row_weights(&rows)?;
        let rows =
            ClassRows::new(trainer.loss().task(), None, predictions, ys)?.with_weights(weights.as_ref())?;
        for row in rows.iter() {
            scores.resize_with(row.probabilities.len().max(scores.len()), Vec::new);
            for (class, probability) in row.probabilities.iter().enumerate() {
                let (score, is_own) = (*probability, row.target == class);
                scores[class].push(RankedRow { score, is_own, weight: row.weight });
            }
        }
        Ok(())
    })?;
    if scores.len() > CLASSES {
        return Ok(Vec::new());
    }
    let two = scores.len() == 2;
    let ranked = scores.into_iter().enumerate().filter(|(class, _)| !two || *class == info.positive);
    Ok(ranked.filter_map(|(class, scores)| curves(class, scores)).collect())
}

/// The probability of a class that a row was given, and how much the row counts.
#[derive(Clone, Copy)]
struct RankedRow {
    score: f64,
    /// Whether it is of the class.
    is_own: bool,
    weight: f64,
}

/// The weight of the rows of the class, or of the others.
fn weight(rows: &[RankedRow], is_own: bool) -> f64 {
    rows.iter().filter(|row| row.is_own == is_own).map(|row| row.weight).sum()
}

/// The curves of a class from the probabilities of all rows and whether they belong to it; `None` if all or no rows do.
fn curves(class: usize, mut scores: Vec<RankedRow>) -> Option<RankingCurves> {
    scores.retain(|row| row.weight > 0.0);
    let (positive, negative) = (weight(&scores, true), weight(&scores, false));
    if positive == 0.0 || negative == 0.0 {
        return None;
    }
    scores.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut ranked = RankingCurves {
        class,
        roc: vec![(0.0, 0.0)],
        share: positive / (positive + negative),
        ..RankingCurves::default()
    };
    let (mut found, mut wrong) = (0.0, 0.0);
    // Rows of the same probability pass a threshold together.
    for tied in scores.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        let (before, last) = (found, ranked.roc[ranked.roc.len() - 1]);
        found += weight(tied, true);
        wrong += weight(tied, false);
        let (rate, precision) = ((wrong / negative, found / positive), found / (found + wrong));
        ranked.area += (rate.0 - last.0) * f64::midpoint(rate.1, last.1);
        ranked.average_precision += (found - before) / positive * precision;
        ranked.roc.push(rate);
        ranked.precision_recall.push((found / positive, precision));
    }
    ranked.roc = thinned(&ranked.roc);
    ranked.precision_recall = thinned(&ranked.precision_recall);
    Some(ranked)
}

/// So many of the points, the first and the last among them.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    (0..POINTS).map(|index| points[index * (points.len() - 1) / (POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(score: f64, is_own: bool) -> RankedRow {
        RankedRow { score, is_own, weight: 1.0 }
    }

    /// scikit-learn 1.9 on y = [0, 0, 1, 1, 1], p = [0.1, 0.4, 0.35, 0.8, 0.4]: `roc_curve(drop_intermediate=False)`,
    /// `precision_recall_curve` reversed and without its end, `roc_auc_score` and `average_precision_score`.
    #[test]
    fn the_curves_are_scikit_learns() {
        let scores = [(0.1, false), (0.4, false), (0.35, true), (0.8, true), (0.4, true)];
        let ranked =
            curves(1, scores.into_iter().map(|(score, is_own)| row(score, is_own)).collect()).unwrap();
        let third = 1.0 / 3.0;
        assert_eq!(ranked.roc, [(0.0, 0.0), (0.0, third), (0.5, 2.0 * third), (0.5, 1.0), (1.0, 1.0)]);
        let expected = [(third, 1.0), (2.0 * third, 2.0 * third), (1.0, 0.75), (1.0, 0.6)];
        assert_eq!(ranked.precision_recall, expected);
        assert!((ranked.area - 0.75).abs() < 1e-12, "{}", ranked.area);
        assert!(
            (ranked.average_precision - 0.805_555_555_555_555_6).abs() < 1e-12,
            "{}",
            ranked.average_precision
        );
        assert!(curves(0, vec![row(0.5, true)]).is_none());
    }

    #[test]
    fn a_long_curve_keeps_its_ends() {
        let scores = (0..5000).map(|i| row(f64::from(i), i % 3 == 0)).collect();
        let ranked = curves(0, scores).unwrap();
        assert_eq!(
            (ranked.roc.len(), ranked.roc[0], ranked.roc[POINTS - 1]),
            (POINTS, (0.0, 0.0), (1.0, 1.0))
        );
    }
}
