//! The temperature of a network's logits: one number that makes its probabilities calibrated (Guo et al. 2017,
//! <https://arxiv.org/abs/1706.04599>).
//!
//! The log loss of rows that are all right has no minimum: it falls as long as the temperature does. There 1/T gets a prior that
//! is worth one row, the gamma distribution 1/T e^(-1/T), whose mode is T = 1.

use candle_core::{D, DType, Device, Tensor};

use super::evaluation::HeldOut;
use crate::data::Task;
use crate::error::Result;
use crate::loss::{NetworkOutput, widened};
use crate::nn::Op;
use crate::stats::real;

/// The largest temperature, and the inverse of the smallest.
const LARGEST: f64 = 20.0;
/// A search whose minimum lies beyond its range ends within this factor of the bound.
const NEARLY_LARGEST: f64 = 0.999;
/// The steps of the search, each of which leaves 0.618 of the range.
const STEPS: usize = 40;

/// A temperature that was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Temperature {
    /// The number that logits are divided by.
    pub(crate) value: f64,
    /// The mean log loss of the rows before.
    pub(crate) before: f64,
    /// The same with it.
    pub(crate) after: f64,
    /// Whether it is the largest that is tried.
    pub(crate) is_bound: bool,
}

/// The temperature with the lowest log loss on rows that were not trained on; nothing where the network gives no logits, or its last layer
/// is none whose weights can be divided.
pub(crate) fn fit_temperature(held_out: HeldOut<'_>) -> Result<Option<Temperature>> {
    let HeldOut { network, loss, data } = held_out;
    let output = loss.output();
    let has_logits = matches!(output, NetworkOutput::ClassLogits | NetworkOutput::LabelLogits);
    if !has_logits || last_tensors(&network.describe()).is_none() {
        return Ok(None);
    }
    let (mut outputs, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for rows in data.chunks() {
        outputs.push(widened(&network.forward(&data.inputs(&rows)?)?)?.to_device(&Device::Cpu)?);
        targets.push(data.exact_targets(&rows)?);
        weights.extend(data.row_weights(&rows)?);
    }
    let logits = Tensor::cat(&outputs, 0)?.to_dtype(DType::F64)?;
    let weights = match weights.as_slice() {
        [] => Tensor::ones(logits.dims()[0], DType::F64, &Device::Cpu)?,
        some => Tensor::cat(some, 0)?,
    };
    let members = members(&logits)?;
    let truth = probabilities(&Tensor::cat(&targets, 0)?, loss.task(), &members[0])?;
    let truth = Truth { probabilities: truth, weights: weights.unsqueeze(1)? };
    let log_loss = |log: f64| -> Result<f64> { log_loss(&averaged(&members, log, output)?, &truth, output) };
    let value = best(&log_loss, truth.one_row(output)?)?;
    let (before, after) = (log_loss(0.0)?, log_loss(value)?);
    let is_bound = value.exp() > NEARLY_LARGEST * LARGEST;
    Ok((after < before).then(|| Temperature { value: value.exp(), before, after, is_bound }))
}

/// The weight and the bias that a network's logits come from.
pub(crate) fn last_tensors(ops: &[Op]) -> Option<[&str; 2]> {
    match ops.last()? {
        Op::Linear { weight, bias, activation: None, .. } | Op::EnsembleLinear { weight, bias, .. } => {
            Some([weight, bias])
        }
        _ => None,
    }
}

/// The logits (N, C) of each member of a network's outputs, (N, C) or of an ensemble (N, M, C).
fn members(logits: &Tensor) -> Result<Vec<Tensor>> {
    if logits.rank() < 3 {
        return Ok(vec![logits.clone()]);
    }
    (0..logits.dims()[1]).map(|member| Ok(logits.narrow(1, member, 1)?.squeeze(1)?)).collect()
}

/// The logits of the mean of the members' probabilities, where the logits of each are divided by the temperature with this
/// logarithm.
fn averaged(members: &[Tensor], log: f64, output: NetworkOutput) -> Result<Tensor> {
    let divided = members.iter().map(|own| Ok((own * (-log).exp())?)).collect::<Result<Vec<_>>>()?;
    match divided.as_slice() {
        [one] => Ok(one.clone()),
        all => (output.average()?)(all),
    }
}

/// The targets as a probability of each class or label, (N, C); rows that are ignored have none.
fn probabilities(targets: &Tensor, task: Task, logits: &Tensor) -> Result<Tensor> {
    let Task::Classes { ignored, .. } = task else {
        return Ok(targets.to_dtype(DType::F64)?.reshape(logits.shape())?);
    };
    if targets.rank() == 2 {
        return Ok(targets.to_dtype(DType::F64)?);
    }
    let (rows, classes) = logits.dims2()?;
    let mut truth = vec![0.0; rows * classes];
    for (row, class) in targets.to_dtype(DType::I64)?.to_vec1::<i64>()?.into_iter().enumerate() {
        if let (true, Ok(class)) = (class != ignored, usize::try_from(class)) {
            truth[row * classes + class] = 1.0;
        }
    }
    Ok(Tensor::from_vec(truth, (rows, classes), &Device::Cpu)?)
}

/// The targets of rows.
struct Truth {
    /// (N, C); rows that are ignored have none.
    probabilities: Tensor,
    /// Weights of the rows, (N, 1).
    weights: Tensor,
}

impl Truth {
    /// The fraction of all rows that one is, by their weights: a row counts as one, or as the mean of the weights where that is
    /// less.
    fn one_row(&self, output: NetworkOutput) -> Result<f64> {
        let counted = match output {
            NetworkOutput::ClassLogits => (&self.weights * self.probabilities.sum_keepdim(1)?)?,
            _ => self.weights.clone(),
        };
        let weights = counted.flatten_all()?.to_vec1::<f64>()?;
        let rows = weights.iter().filter(|weight| **weight > 0.0).count();
        Ok(1.0 / real(rows).max(weights.iter().sum()).max(1.0))
    }
}

/// The logarithm of the best temperature by the mean log loss, a function of that logarithm; where it falls down to the least
/// temperature, with the prior, which is worth this fraction of the rows. Of one network the sum is convex in 1/T, so it has one
/// minimum.
fn best(log_loss: &dyn Fn(f64) -> Result<f64>, one_row: f64) -> Result<f64> {
    let plain = minimum(log_loss)?;
    if log_loss(plain)? < log_loss(-LARGEST.ln())? {
        return Ok(plain);
    }
    minimum(&|log| Ok(log_loss(log)? + one_row * ((-log).exp() + log)))
}

/// The mean log loss of the logits over the rows that count.
fn log_loss(logits: &Tensor, truth: &Truth, output: NetworkOutput) -> Result<f64> {
    let Truth { probabilities: truth, weights } = truth;
    let counted = truth.broadcast_mul(weights)?;
    if output == NetworkOutput::ClassLogits {
        let logs = candle_nn::ops::log_softmax(logits, D::Minus1)?;
        let total = counted.sum_all()?.to_scalar::<f64>()?;
        let total = if total > 0.0 { total } else { 1.0 };
        return Ok(-(logs * counted)?.sum_all()?.to_scalar::<f64>()? / total);
    }
    // max(x, 0) - x y + log(1 + e^-|x|)
    let rest = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let losses = ((logits.relu()? - (logits * truth)?)? + rest)?.mean_keepdim(1)?;
    let total = weights.sum_all()?.to_scalar::<f64>()?;
    Ok((losses * weights)?.sum_all()?.to_scalar::<f64>()? / total)
}

/// The place of the minimum of a function with one, by golden sections.
fn minimum(f: &dyn Fn(f64) -> Result<f64>) -> Result<f64> {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-LARGEST.ln(), LARGEST.ln());
    for _ in 0..STEPS {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if f(left)? < f(right)? {
            high = right;
        } else {
            low = left;
        }
    }
    Ok(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rows of two members and three classes: `scipy.optimize.minimize_scalar` of the log loss of the mean of
    /// `scipy.special.softmax(logits / t, axis=2)` over the members.
    #[test]
    fn the_temperature_of_an_ensemble_is_that_of_its_mean_probabilities() {
        let logits = [
            [[4.0, 1.0, 0.0], [1.0, 3.0, 0.5]],
            [[0.0, 5.0, 1.0], [2.0, 2.5, 0.0]],
            [[3.0, 0.0, 2.0], [4.0, 1.0, 0.0]],
        ];
        let logits = Tensor::new(&logits, &Device::Cpu).unwrap();
        let truth = Tensor::new(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[[1.0], [2.0], [1.0]], &Device::Cpu).unwrap();
        let truth = Truth { probabilities: truth, weights };
        let members = members(&logits).unwrap();
        let output = NetworkOutput::ClassLogits;
        let f = |log: f64| log_loss(&averaged(&members, log, output)?, &truth, output);
        let found = minimum(&f).unwrap();
        assert!((found.exp() - 1.381_835).abs() < 1e-4, "{}", found.exp());
        assert!((f(found).unwrap() - 0.759_636_8).abs() < 1e-6);
        // The first and the second column as labels, each with a sigmoid.
        let (logits, labels) =
            (logits.narrow(2, 0, 2).unwrap(), truth.probabilities.narrow(1, 0, 2).unwrap());
        let (members, truth) = (super::members(&logits).unwrap(), Truth { probabilities: labels, ..truth });
        let output = NetworkOutput::LabelLogits;
        let f = |log: f64| log_loss(&averaged(&members, log, output)?, &truth, output);
        assert!((minimum(&f).unwrap().exp() - 13.398_118).abs() < 1e-3);
    }

    /// Rows of two classes: the logit of the second, and whether it is the row's.
    struct TwoClasses {
        logits: Tensor,
        truth: Truth,
    }

    impl TwoClasses {
        fn of(rows: &[(f64, bool)], weight: f64) -> Self {
            let tensor = |numbers: Vec<[f64; 2]>| {
                Tensor::from_vec(numbers.concat(), (rows.len(), 2), &Device::Cpu).unwrap()
            };
            let logits = tensor(rows.iter().map(|(logit, _)| [0.0, *logit]).collect());
            let truth = rows.iter().map(|(_, yes)| if *yes { [0.0, 1.0] } else { [1.0, 0.0] });
            let weights = Tensor::full(weight, (rows.len(), 1), &Device::Cpu).unwrap();
            Self { logits, truth: Truth { probabilities: tensor(truth.collect()), weights } }
        }

        /// The temperature of the lowest log loss, and the best one.
        fn temperatures(&self) -> [f64; 2] {
            let output = NetworkOutput::ClassLogits;
            let f = |log: f64| log_loss(&(&self.logits * (-log).exp())?, &self.truth, output);
            let one_row = self.truth.one_row(output).unwrap();
            [minimum(&f), best(&f, one_row)].map(|log| log.unwrap().exp())
        }
    }

    #[test]
    fn the_temperature_of_logits_that_are_three_times_too_large_is_three() {
        // Log odds of 1 and -0.5, as often of the second class as these say; then times three, or a half of them.
        for scale in [3.0, 0.5] {
            let mut rows = Vec::new();
            for (odds, count) in [(1.0f64, 1000u32), (-0.5, 1000)] {
                let yes = (f64::from(count) / (1.0 + (-odds).exp())).round();
                rows.extend((0..count).map(|row| (scale * odds, f64::from(row) < yes)));
            }
            let [plain, found] = TwoClasses::of(&rows, 1.0).temperatures();
            assert!((plain / scale - 1.0).abs() < 0.003, "{plain}");
            assert_eq!(found.to_bits(), plain.to_bits(), "rows of which some are wrong need no prior");
        }
    }

    /// `scipy.optimize.minimize_scalar` of log(1 + e^(-m/T)) + (1/T + log T) / n.
    #[test]
    fn the_temperature_of_rows_that_are_all_right_is_finite() {
        let of = |rows: usize, margin: f64, weight: f64| {
            let rows: Vec<(f64, bool)> =
                (0..rows).map(|row| (margin * [1.0, -1.0][row % 2], row % 2 == 0)).collect();
            TwoClasses::of(&rows, weight).temperatures()
        };
        // The log loss alone has no minimum: the search ends where it rounds to 0.
        assert!(of(50, 2.0, 1.0)[0] < 0.06);
        let expected = [
            (50, 2.0, 0.392_367_62),
            (50, 8.0, 0.927_927_34),
            (100, 5.0, 0.679_966_93),
            (100, 0.5, 0.124_164_14),
        ];
        for (rows, margin, temperature) in expected {
            let found = of(rows, margin, 1.0)[1];
            assert!((found - temperature).abs() < 1e-5, "{rows} rows, {margin}: {found}");
        }
        // A row of weight 2 is as the row twice; rows of little weight count by their number.
        for (rows, weight) in [(25, 2.0), (50, 0.01)] {
            assert!((of(rows, 2.0, weight)[1] - of(50, 2.0, 1.0)[1]).abs() < 1e-6);
        }
    }
}
