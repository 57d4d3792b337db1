//! Evaluation of a run for the report: confusion, calibration, and the worst mistakes.

use candle_core::DType;

use super::batches::for_each_batch;
use super::split::EvaluatedSplit;
use super::{ranked, series};
use crate::data::preprocess::PreprocessingSource;
use crate::data::{Dataset, Preprocessing, Task};
use crate::error::Result;
use crate::metrics::{ClassCounts, ClassRows};
use crate::names::numbered_row;
use crate::report::{
    Calibrated, ClassReport, ClassSummary, Mistake, Picture, SplitReport, ValueMistake, ValueReport,
};

/// Mistakes that are shown.
const WORST: usize = 24;
/// Points of a scatter.
const POINTS: usize = 2000;

impl EvaluatedSplit<'_> {
    /// Evaluates the network.
    pub(super) fn evaluation(&self) -> Result<SplitReport> {
        let counts = self.trainer.evaluate(self.data)?.classes;
        let classes = counts.map(|counts| self.of_classes(&counts)).transpose()?;
        // Several labels a row have no one confusion matrix.
        let values = (self.trainer.loss().task() == Task::Values).then(|| self.of_values()).transpose()?;
        Ok(SplitReport { split: self.name.to_owned(), classes, values, series: series::of(self)? })
    }

    fn of_classes(&self, counts: &ClassCounts) -> Result<ClassReport> {
        let per_class = counts.by_class().into_iter().map(|score| ClassSummary {
            precision: score.precision,
            recall: score.recall,
            f1: score.f1,
            support: score.support,
        });
        let calibration = counts.calibration_bins().into_iter();
        Ok(ClassReport {
            names: self.data.target_info().classes.clone(),
            confusion: counts.confusion().to_vec(),
            per_class: per_class.collect(),
            calibration: calibration
                .map(|bin| Calibrated {
                    confidence: bin.confidence,
                    accuracy: bin.accuracy,
                    count: bin.count,
                })
                .collect(),
            ranked: ranked::of(self.trainer, self.data)?,
            worst: self.wrong()?,
        })
    }

    /// The misclassified rows with the highest predicted probability.
    fn wrong(&self) -> Result<Vec<Mistake>> {
        let mut worst: Vec<Mistake> = Vec::new();
        for_each_batch(self.trainer, self.data, |first, predictions, ys| {
            let rows = ClassRows::new(
                self.trainer.loss().task(),
                self.data.target_info().decision(),
                predictions,
                ys,
            )?;
            worst.extend(rows.iter().filter(|row| row.predicted != row.target).map(|row| Mistake {
                row: first + row.index,
                is: row.target,
                predicted: row.predicted,
                probability: row.probabilities[row.predicted],
                ..Mistake::default()
            }));
            worst.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.row.cmp(&b.row)));
            worst.truncate(WORST);
            Ok(())
        })?;
        let numbers: Vec<usize> = worst.iter().map(|mistake| mistake.row).collect();
        let written = self.written_rows(&numbers)?;
        for mistake in &mut worst {
            mistake.picture = picture(self.preprocessing, &features(self.data, mistake.row)?);
            mistake.place = numbered_row(mistake.row);
            if let Some(row) = written.get(&mistake.row) {
                mistake.place.clone_from(&row.place);
                mistake.cells.clone_from(&row.cells);
            }
        }
        Ok(worst)
    }

    fn of_values(&self) -> Result<ValueReport> {
        let Self { trainer, data, preprocessing, .. } = *self;
        let (names, outputs) = (target_names(preprocessing), output_names(preprocessing));
        let each = names.len();
        let every = (data.len() * preprocessing.horizon().len()).div_ceil(POINTS).max(1);
        let mut scatter = vec![Vec::new(); names.len()];
        let mut worst: Vec<(f64, ValueMistake)> = Vec::new();
        let distance = |target: usize, a: f64, b: f64| match data.units() {
            Some(units) => units.distance(target, a, b),
            None => (a - b).abs(),
        };
        for_each_batch(trainer, data, |first, predictions, ys| {
            let (predictions, ys) =
                (predictions.to_vec2::<f64>()?, ys.to_dtype(DType::F64)?.to_vec2::<f64>()?);
            for (place, (predicted, actual)) in predictions.into_iter().zip(ys).enumerate() {
                let row = first + place;
                for (target, (predicted, actual)) in predicted.into_iter().zip(actual).enumerate() {
                    if row.is_multiple_of(every) {
                        scatter[target % each].push((actual, predicted));
                    }
                    let off = distance(target, predicted, actual);
                    worst.push((
                        off,
                        ValueMistake { row, target, actual, predicted, ..ValueMistake::default() },
                    ));
                }
            }
            worst.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.row.cmp(&b.1.row)));
            worst.truncate(WORST);
            Ok(())
        })?;
        let mut worst: Vec<ValueMistake> = worst.into_iter().map(|(_, mistake)| mistake).collect();
        self.describe_values(&mut worst)?;
        Ok(ValueReport { names, outputs, scatter, worst })
    }

    /// Adds where the rows are, and what the file has there.
    fn describe_values(&self, worst: &mut [ValueMistake]) -> Result<()> {
        let numbers: Vec<usize> = worst.iter().map(|mistake| mistake.row).collect();
        let written = self.written_rows(&numbers)?;
        for mistake in worst {
            mistake.place = numbered_row(mistake.row);
            if let Some(row) = written.get(&mistake.row) {
                let cells: Vec<String> =
                    row.cells.iter().map(|(name, cell)| format!("{name} {cell}")).collect();
                mistake.text = cells.join(", ");
                mistake.place.clone_from(&row.place);
                mistake.written = row.targets.get(mistake.target).cloned().unwrap_or_default();
            }
        }
        Ok(())
    }
}

/// The names of the targets.
fn target_names(preprocessing: &Preprocessing) -> Vec<String> {
    let targets = preprocessing.table().map(|encoder| encoder.target.names().to_vec()).unwrap_or_default();
    let count = preprocessing.outputs / preprocessing.horizon().len().max(1);
    let name = |target: usize| targets.get(target).cloned().unwrap_or_else(|| format!("target {target}"));
    (0..count).map(name).collect()
}

/// The names of the outputs, where each target has several: one a step.
fn output_names(preprocessing: &Preprocessing) -> Vec<String> {
    let (names, steps) = (target_names(preprocessing), preprocessing.horizon());
    let output = |step: &usize| names.iter().map(|name| format!("{name}, {step} ahead")).collect::<Vec<_>>();
    if let [_] = steps { Vec::new() } else { steps.iter().flat_map(output).collect() }
}

/// The features of a row as the network reads them.
fn features(data: &Dataset, row: usize) -> Result<Vec<f64>> {
    let row = u32::try_from(row).unwrap_or(u32::MAX);
    Ok(data.inputs(&[row])?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// The picture that some features were made from.
fn picture(preprocessing: &Preprocessing, features: &[f64]) -> Option<Picture> {
    let PreprocessingSource::Images { height, width, channels, .. } = &preprocessing.source else {
        return None;
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte again, as it was")]
    let byte = |x: f64| x.round().clamp(0.0, 255.0) as u8;
    let planes: Vec<u8> = preprocessing.elements()?.invert(features).into_iter().map(byte).collect();
    let pixels = height * width;
    if planes.len() != pixels * channels {
        return None;
    }
    // From planes to pixels.
    let bytes = (0..pixels).flat_map(|pixel| (0..*channels).map(move |plane| (pixel, plane)));
    let bytes = bytes.map(|(pixel, plane)| planes[plane * pixels + pixel]).collect();
    Some(Picture { width: *width, height: *height, channels: *channels, bytes })
}
