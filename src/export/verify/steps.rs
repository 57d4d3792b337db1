//! The updates that descent makes, as arrays.

use std::collections::BTreeMap;
use std::io::{Seek, Write};

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::export::arrays::{Elements, NamedArray, NpzWriter};
use crate::kernels::dropout::{self, DropoutDraw};
use crate::nn::{Op, Tape};
use crate::run::PreparedParts;
use crate::trainer::Update;

/// The most updates that are compared where no number is given.
const STEPS: u64 = 20;

/// The updates that were made.
pub(super) struct Trajectory {
    /// How many.
    pub(super) steps: u64,
    /// The ends of epochs between them.
    pub(super) epoch_ends: Vec<EpochEnd>,
}

/// The end of an epoch.
pub(super) struct EpochEnd {
    /// The update that it follows.
    pub(super) step: u64,
    /// The number that the schedule monitors, of one that does.
    pub(super) monitored: Option<f64>,
}

/// A dropout layer.
pub(super) struct DropoutLayer {
    /// The probability.
    pub(super) p: f64,
    /// The features of a row, of all members of an ensemble.
    width: usize,
}

/// The updates to make: those that are asked for, or an epoch's, but not more than the run has.
pub(super) fn count(parts: &PreparedParts, asked: Option<u64>) -> u64 {
    let rows = parts.splits.train.len();
    let steps = asked.unwrap_or_else(|| parts.config.train.updates_in_an_epoch(rows).min(STEPS));
    steps.min(parts.config.length(rows).updates)
}

/// The dropout layers of an MLP.
pub(super) fn dropouts(ops: &[Op]) -> Vec<DropoutLayer> {
    let (mut width, mut copies) = (0, 1);
    let mut found = Vec::new();
    for op in ops {
        match op {
            Op::Linear { outputs, .. } => width = *outputs,
            Op::EnsembleScale { members, .. } => copies = *members,
            Op::Dropout { p } => found.push(DropoutLayer { p: *p, width: width * copies }),
            _ => {}
        }
    }
    found
}

/// Rows of the training split, each once, by their places among them.
#[derive(Default)]
struct SeenRows {
    rows: Vec<u32>,
    places: BTreeMap<u32, i64>,
}

impl SeenRows {
    fn places(&mut self, rows: &[u32]) -> Vec<i64> {
        let place = |row: &u32| {
            let next = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
            *self.places.entry(*row).or_insert_with(|| {
                self.rows.push(*row);
                next
            })
        };
        rows.iter().map(place).collect()
    }
}

/// Writes the updates as arrays.
struct UpdateWriter<'a, W: Write + Seek> {
    archive: &'a mut NpzWriter<W>,
    dropouts: Vec<DropoutLayer>,
    seen: SeenRows,
    made: Trajectory,
}

/// Makes the updates. Writes the initial weights as `0/NAME`, and of each update its `rows`, `kept` elements of each
/// dropout layer, `loss`, and the weights behind it; then the rows as `x` and `y`.
pub(super) fn write<W: Write + Seek>(
    parts: &mut PreparedParts,
    steps: u64,
    archive: &mut NpzWriter<W>,
) -> Result<Trajectory> {
    let dropouts = dropouts(&parts.trainer.network().describe());
    let made = Trajectory { steps: 0, epoch_ends: Vec::new() };
    let mut writer = UpdateWriter { archive, dropouts, seen: SeenRows::default(), made };
    writer.state(parts, 0)?;
    for epoch in 1.. {
        let (mut sum, mut total) = (0.0, 0.0);
        for rows in parts.trainer.updates(&parts.splits.train, epoch) {
            if writer.made.steps == steps {
                break;
            }
            let update = match parts.trainer.update(&parts.splits.train, &rows, epoch) {
                // No update is made where no row counts.
                Err(Error::NothingCounts) => continue,
                update => update?,
            };
            (sum, total) = (sum + update.loss_sum, total + update.total);
            writer.update(parts, &rows, &update)?;
        }
        if writer.made.steps == steps {
            break;
        }
        if total == 0.0 {
            return Err(Error::NothingCounts);
        }
        let monitored = end_epoch(parts, epoch, sum / total)?;
        writer.made.epoch_ends.push(EpochEnd { step: writer.made.steps, monitored });
    }
    writer.finish(parts)
}

impl<W: Write + Seek> UpdateWriter<'_, W> {
    /// Writes an update from these rows.
    fn update(&mut self, parts: &PreparedParts, rows: &[u32], update: &Update) -> Result<()> {
        self.made.steps += 1;
        let (step, places) = (self.made.steps, self.seen.places(rows));
        let name = format!("{step}/rows");
        self.archive.add(&NamedArray::new(&name, &[places.len()], Elements::Integer(places)))?;
        self.masks(parts.config.seed, update)?;
        // What the update makes smaller.
        let loss = update.loss_sum / parts.trainer.loss().divisor(update.total);
        self.archive.add(&NamedArray::new(&format!("{step}/loss"), &[], Elements::Double(vec![loss])))?;
        self.state(parts, step)
    }

    /// The masks of an update as bytes, 1 where an element is kept.
    fn masks(&mut self, seed: u64, update: &Update) -> Result<()> {
        let mut tape = Tape::new(seed, update.step, 0);
        for (place, DropoutLayer { p, width }) in self.dropouts.iter().enumerate() {
            let rows = Tensor::zeros((update.rows, *width), DType::F32, &Device::Cpu)?;
            let draw = DropoutDraw { p: *p, stream: &tape.stream(), first: 0, step_counter: None };
            let mask = dropout::mask(&rows, draw)?;
            let kept = mask.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|factor| u8::from(factor > 0.0));
            let name = format!("{}/kept/{place}", update.step);
            self.archive.add(&NamedArray::new(&name, rows.dims(), Elements::Byte(kept.collect())))?;
        }
        Ok(())
    }

    /// The state dict, and the average of the parameters under the names of torch's `AveragedModel`.
    fn state(&mut self, parts: &PreparedParts, step: u64) -> Result<()> {
        let params = parts.trainer.network().params();
        for (name, tensor) in params.state() {
            self.archive.add(&array(&format!("{step}/{name}"), &tensor)?)?;
        }
        let average = parts.trainer.snapshot()?.average.filter(|_| step > 0).unwrap_or_default();
        for param in params.trainable() {
            let name = format!("module.{}", param.name());
            if let Some(tensor) = average.get(&name) {
                self.archive.add(&array(&format!("{step}/{name}"), tensor)?)?;
            }
        }
        Ok(())
    }

    /// Writes the rows of all updates.
    fn finish(self, parts: &PreparedParts) -> Result<Trajectory> {
        let rows = &self.seen.rows;
        self.archive.add(&array("x", &parts.splits.train.inputs(rows)?)?)?;
        self.archive.add(&array("y", &parts.splits.train.targets(rows)?)?)?;
        Ok(self.made)
    }
}

/// Ends an epoch as a run does; gives what a schedule monitors.
fn end_epoch(parts: &mut PreparedParts, epoch: u64, train_loss: f64) -> Result<Option<f64>> {
    let PreparedParts { config, splits, trainer } = parts;
    trainer.end_epoch(epoch)?;
    if trainer.optimizer().plan().plateau().is_none() {
        return Ok(None);
    }
    let raw = trainer.enter_average(&splits.train)?;
    let mut numbers = vec![("train_loss".to_owned(), train_loss)];
    let train = Some(&splits.train).filter(|_| config.run.measure_train);
    for (prefix, data) in [("val", splits.validation.as_ref()), ("train_end", train)] {
        if let Some(data) = data {
            numbers.extend(trainer.evaluate(data)?.named(prefix));
        }
    }
    trainer.leave_average(raw)?;
    trainer.observe(&numbers);
    Ok(trainer.monitored(&numbers))
}

fn array(name: &str, tensor: &Tensor) -> Result<NamedArray> {
    let flat = tensor.flatten_all()?;
    let elements = match tensor.dtype() {
        DType::F64 => Elements::Double(flat.to_vec1()?),
        DType::I64 => Elements::Integer(flat.to_vec1()?),
        _ => Elements::Single(flat.to_dtype(DType::F32)?.to_vec1()?),
    };
    Ok(NamedArray::new(name, tensor.dims(), elements))
}
