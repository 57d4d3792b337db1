//! The network and its training, chosen by task and size.

use toml::Value;

use super::document::{Document, table};
use super::target::TargetKind;

/// The rows below which a table is small.
const FEW: u64 = 1_000;
/// The rows below which classes are learnt from plain numbers: with the bins of 100 to 400 rows the log loss was 1.5 to 2.9
/// times as large on iris, wine and breast-cancer. With those of 800 the error on Titanic and `CreditCard` was 0.99 and 0.97.
const FEW_OF_CLASSES: u64 = 500;
/// The bins of a number where values are predicted from [`FEW`] rows on: the error was 0.99 of that with 48 bins in the mean of
/// 13 tables, 0.91 at best and 1.03 at worst, on seed 1. Of classes it was 0.98 on that seed and 1.02 on two others.
const MANY_BINS: i64 = 128;
/// The rows above which a table is large: larger batches, fewer passes.
const MANY: u64 = 50_000;
/// The most features whose numbers get embeddings: each is 16 inputs of the first layer.
const MOST_EMBEDDED: usize = 100;

/// The task and the size that a recipe is chosen by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe<'a> {
    /// About how many rows are trained on.
    pub(super) rows: u64,
    /// The kind of the targets.
    pub(super) kind: &'a TargetKind,
    /// The number of features that are numbers or dates, where each has a meaning of its own.
    pub(super) numbers: usize,
}

impl Recipe<'_> {
    /// Writes `[model]`, `[loss]`, `[optimizer]` and `[train]` of a network on features.
    pub(super) fn write(&self, document: &mut Document) {
        self.model(document);
        self.loss(document);
        optimizer(document);
        self.train(document);
    }

    fn model(&self, document: &mut Document) {
        document.section("model");
        document.set("name", "mlp", "");
        if self.rows < FEW {
            document.set("hidden", vec![64, 64], "narrow: few rows");
        } else {
            document.set("hidden", vec![256, 256], "two layers; wider ones rarely gain on tables");
        }
        document.set("activation", "silu", "a smooth \"relu\"");
        document.set("dropout", self.dropout(), "against overfitting");
        if self.has_bins() {
            let why = "numbers by the bins of their quantiles";
            let has_many = self.kind.is_numeric() && self.rows >= FEW;
            let bins = has_many.then_some(("n_bins", Value::from(MANY_BINS)));
            let embedding = [("name", Value::from("piecewise_linear"))].into_iter().chain(bins);
            document.set("numerical", table(embedding), why);
        }
    }

    /// Whether there are numbers, and rows for their bins.
    fn has_bins(&self) -> bool {
        let is_enough = self.kind.is_numeric() || self.rows >= FEW_OF_CLASSES;
        is_enough && (1..=MOST_EMBEDDED).contains(&self.numbers)
    }

    fn dropout(&self) -> f64 {
        if self.rows < MANY { 0.15 } else { 0.0 }
    }

    pub(super) fn loss(&self, document: &mut Document) {
        document.section("loss");
        let (name, why) = match self.kind {
            TargetKind::Classes(_) => ("cross_entropy", "the log-likelihood of the class"),
            TargetKind::Counts(_) => {
                ("poisson_nll", "the target counts something; \"mse\" for plain numbers")
            }
            TargetKind::Values => ("mse", "\"l1\" or \"huber\" where a few rows are far off"),
        };
        document.set("name", name, why);
    }

    pub(super) fn train(&self, document: &mut Document) {
        document.section("train");
        document.set("batch_size", self.batch(), "larger for more rows");
        document.set("epochs", self.epochs(), "an upper limit; early stopping ends the run before");
        let stopping = table([("patience", Value::from(20))]);
        document.set("early_stopping", stopping, "the weights of the best epoch are kept");
        if self.rows >= FEW || self.has_bins() {
            let average = [("name", Value::from("ema")), ("warmup", Value::from(true))];
            let why = "validation and the saved model use a moving average of the weights";
            document.set("average", table(average), why);
        }
        document.set("clip_grad_norm", 1.0, "");
        if !self.kind.is_numeric() && self.rows >= FEW {
            document.set("calibrate", true, "probabilities that are as often right as they say");
        }
    }

    fn batch(&self) -> i64 {
        match self.rows {
            rows if rows < FEW => 32,
            rows if rows < 10_000 => 128,
            rows if rows < MANY => 256,
            _ => 1024,
        }
    }

    fn epochs(&self) -> i64 {
        match self.rows {
            rows if rows < 10_000 => 300,
            rows if rows < MANY => 100,
            _ => 40,
        }
    }
}

/// Writes `[optimizer]`.
pub(super) fn optimizer(document: &mut Document) {
    document.section("optimizer");
    document.set("name", "adamw", "");
    document.set("lr", 0.001, "");
    document.set("weight_decay", 0.01, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Choice {
        /// Of a number; 0 where it has none.
        bins: i64,
        averages: bool,
    }

    fn choice(rows: u64, kind: &TargetKind, numbers: usize) -> Choice {
        let mut document = Document::default();
        Recipe { rows, kind, numbers }.write(&mut document);
        let config: toml::Table = document.finish().parse().unwrap();
        let bins = config["model"].get("numerical");
        let count = |bins: &Value| bins.get("n_bins").map_or(48, |count| count.as_integer().unwrap());
        Choice { bins: bins.map_or(0, count), averages: config["train"].get("average").is_some() }
    }

    #[test]
    fn bins_and_the_average_depend_on_target_and_rows() {
        let classes = TargetKind::Classes(Vec::new());
        for (rows, kind, numbers, [bins, averages]) in [
            (50, &TargetKind::Values, 1, [48, 1]),
            (999, &TargetKind::Values, 100, [48, 1]),
            (999, &TargetKind::Values, 101, [0, 0]),
            (999, &TargetKind::Values, 0, [0, 0]),
            (1000, &TargetKind::Values, 0, [0, 1]),
            (1000, &TargetKind::Values, 1, [128, 1]),
            (499, &classes, 1, [0, 0]),
            (500, &classes, 1, [48, 1]),
            (1000, &classes, 1, [48, 1]),
        ] {
            let expected = Choice { bins, averages: averages == 1 };
            assert_eq!(choice(rows, kind, numbers), expected, "{rows} rows, {numbers} numbers");
        }
    }
}
