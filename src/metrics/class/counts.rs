//! Counts and scores that several metrics of classes are computed from.

use std::cell::OnceCell;

use super::ClassRows;
use crate::data::most_probable;
use crate::metrics::calibration::{Calibration, CalibrationBin};
use crate::metrics::ranking::{Ranking, Score};
use crate::metrics::threshold::LabelledScore;
use crate::metrics::{BestThreshold, Undefined, ratio_or_zero};

/// No scores are kept of more classes than this: they would fill the memory.
const MOST_RANKED: usize = 100;

/// Counts of rows by class, prediction, rank and confidence; each counts as often as its weight says.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassCounts {
    positive: usize,
    rows: f64,
    confusion: Vec<Vec<f64>>,
    /// `ranks[k]`: the rows whose class has k classes before it.
    ranks: Vec<f64>,
    calibration: Calibration,
    /// The rows' probabilities one after the other; of two classes that of the positive one.
    scores: Vec<f64>,
    /// The rows' classes, where scores are kept.
    targets: Vec<usize>,
    /// The rows' weights, where scores are kept.
    weights: Vec<f64>,
    rankings: OnceCell<Vec<Ranking>>,
}

/// The scores of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// Of the rows predicted as this class, the fraction that are.
    pub precision: f64,
    /// Of the rows of this class, the fraction predicted as it.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The rows of this class, as often as their weights say.
    pub support: f64,
    /// Whether rows are of this class or predicted as it.
    pub(super) occurs: bool,
}

impl ClassCounts {
    /// Counts for this number of classes; of two, `positive` is the positive one.
    pub(in crate::metrics) fn new(classes: usize, positive: usize) -> Self {
        Self {
            // A run of one class has no second one.
            positive: positive.min(classes.saturating_sub(1)),
            rows: 0.0,
            confusion: vec![vec![0.0; classes]; classes],
            ranks: vec![0.0; classes],
            calibration: Calibration::default(),
            scores: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            rankings: OnceCell::new(),
        }
    }

    /// Counts the rows of a batch.
    pub(in crate::metrics) fn add(&mut self, rows: &ClassRows) {
        let classes = self.classes();
        for row in rows.iter() {
            let (p, y) = (row.probabilities, row.target);
            // Of equal probabilities the class with the smaller number comes first, as in argmax.
            let before = |k: usize| p[k] > p[y] || (p[k].total_cmp(&p[y]).is_eq() && k < y);
            self.ranks[(0..classes).filter(|k| before(*k)).count()] += row.weight;
            self.rows += row.weight;
            self.confusion[y][row.predicted] += row.weight;
            // Calibration is about the probabilities, whatever threshold a class is predicted from.
            let top = most_probable(p.iter().copied());
            self.calibration.add(p[top], top == y, row.weight);
            if classes > MOST_RANKED {
                continue;
            }
            self.targets.push(y);
            self.weights.push(row.weight);
            match classes {
                2 => self.scores.push(p[self.positive]),
                _ => self.scores.extend_from_slice(p),
            }
        }
        self.rankings.take();
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.confusion.len()
    }

    /// The number of rows, as often as their weights say.
    pub fn rows(&self) -> f64 {
        self.rows
    }

    /// The confusion matrix: `[class][predicted class]`.
    pub fn confusion(&self) -> &[Vec<f64>] {
        &self.confusion
    }

    /// The fraction of the rows whose class is the predicted one.
    pub(super) fn accuracy(&self) -> f64 {
        (0..self.classes()).map(|class| self.confusion[class][class]).sum::<f64>() / self.rows
    }

    /// The fraction of the rows whose class is among the `k` with the highest probabilities.
    pub fn top_k(&self, k: usize) -> f64 {
        self.ranks.iter().take(k).sum::<f64>() / self.rows
    }

    /// The bins of a reliability diagram that have rows.
    pub fn calibration_bins(&self) -> Vec<CalibrationBin> {
        self.calibration.bins()
    }

    pub(super) fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The rows predicted as this class.
    pub(super) fn predicted(&self, class: usize) -> f64 {
        self.confusion.iter().map(|row| row[class]).sum()
    }

    /// Each class on its own.
    pub fn by_class(&self) -> Vec<ClassScore> {
        (0..self.classes()).map(|class| self.score(class)).collect()
    }

    /// The positive one of two classes.
    pub(super) fn positive(&self) -> ClassScore {
        self.score(self.positive)
    }

    /// Two classes: the threshold that gives the best F1 of the positive one; `None` where no row is of it.
    pub fn best_f1_threshold(&self) -> Option<BestThreshold> {
        if self.classes() != 2 {
            return None;
        }
        let rows = self.scores.iter().zip(&self.weights).zip(&self.targets);
        let rows = rows.map(|((score, weight), target)| LabelledScore {
            of: Score { score: *score, weight: *weight },
            is_positive: *target == self.positive,
        });
        BestThreshold::of(rows.collect())
    }

    fn score(&self, class: usize) -> ClassScore {
        let correct = self.confusion[class][class];
        let support: f64 = self.confusion[class].iter().sum();
        let predicted = self.predicted(class);
        ClassScore {
            precision: ratio_or_zero(correct, predicted),
            recall: ratio_or_zero(correct, support),
            f1: ratio_or_zero(2.0 * correct, predicted + support),
            support,
            occurs: predicted + support > 0.0,
        }
    }

    /// The mean over the classes that occur in targets or predictions, as scikit-learn's `average="macro"`.
    pub(super) fn macro_average(&self, of: fn(&ClassScore) -> f64) -> f64 {
        let scores: Vec<f64> = self.by_class().iter().filter(|score| score.occurs).map(of).collect();
        crate::metrics::mean(&scores)
    }

    /// The ranking of the rows by the probabilities: of the positive one of two classes; of each of more against the
    /// others.
    pub(super) fn rankings(&self) -> Result<&[Ranking], Undefined> {
        if self.classes() > MOST_RANKED {
            return Err(Undefined("there are more than 100 classes, and no scores are kept of so many"));
        }
        Ok(self.rankings.get_or_init(|| match self.classes() {
            2 => vec![self.ranking(0, 1, self.positive)],
            classes => (0..classes).map(|class| self.ranking(class, classes, class)).collect(),
        }))
    }

    /// The ranking of `class` by every `step`-th score from `first` on.
    fn ranking(&self, first: usize, step: usize, class: usize) -> Ranking {
        let scores = self.scores.iter().skip(first).step_by(step).zip(&self.weights).zip(&self.targets);
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for ((score, weight), target) in scores {
            let score = Score { score: *score, weight: *weight };
            if *target == class { &mut positive } else { &mut negative }.push(score);
        }
        Ranking::new(positive, negative)
    }
}
