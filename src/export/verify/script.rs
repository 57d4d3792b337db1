//! The run as a PyTorch script.

use toml::{Table, Value};

use super::steps::{EpochEnd, Trajectory, dropouts};
use crate::config::Config;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::export::torch::{Missing, Sections, module, number, value};
use crate::metrics;
use crate::names::printable;
use crate::nn::Op;
use crate::optim::Rule;
use crate::run::PreparedParts;
use crate::trainer::{Averages, FloatType};

/// What makes the updates and compares them.
const MAIN: &str = include_str!("verify.py");

/// The largest relative difference by default: of numbers of 53 bits and of 24, and of Muon, whose iteration torch makes in
/// bfloat16, which has 8.
const TOLERANCE_F64: f64 = 1e-7;
const TOLERANCE_F32: f64 = 1e-3;
const TOLERANCE_MUON: f64 = 1e-2;

/// Tensors of smaller numbers are compared as if their largest were this.
const FLOOR: f64 = 1e-3;

/// All of the script that does not depend on the updates.
pub(super) struct Script {
    constants: String,
    model: String,
    training: String,
    average: String,
}

impl Script {
    /// The script of a run.
    ///
    /// # Errors
    /// What PyTorch does not have, by the key that names it.
    pub(super) fn of(parts: &PreparedParts, tolerance: Option<f64>) -> Result<Self> {
        let PreparedParts { config, splits, trainer } = parts;
        let ops = trainer.network().describe();
        require_comparable(&ops, &splits.train, config)?;
        // As the run uses them: with the weights of the classes, and the lengths that were left out.
        let (loss, schedule) = (trainer.loss().clone(), trainer.optimizer().plan().clone());
        let mut sections = Sections::of(&Config { loss, schedule, ..config.clone() })?;
        fill_mode(&mut sections);
        let info = splits.train.target_info();
        let classes = if info.classes.is_empty() { &info.targets } else { &info.classes };
        let loss = sections
            .loss(classes)
            .map_err(|missing| refused(&missing, "loss", "{ name = \"cross_entropy\" }"))?;
        let optimizer = sections.optimizer().map_err(|missing| match missing {
            Missing::Groups => refused(&missing, "optimizer.groups", "[]"),
            Missing::Declining(_) => refused(&missing, "schedule", "{ name = \"constant\", factor = 1.0 }"),
            Missing::Parametrization => refused(&missing, "model.parametrization", "\"standard\""),
            missing => refused(&missing, "optimizer", "{ name = \"adamw\" }"),
        })?;
        let is_double = config.train.dtype == FloatType::F64;
        let tolerance = tolerance.unwrap_or(match config.optimizer.rule {
            Rule::Muon(_) => TOLERANCE_MUON,
            _ if is_double => TOLERANCE_F64,
            _ => TOLERANCE_F32,
        });
        let rates: Vec<String> = dropouts(&ops).iter().map(|layer| number(layer.p)).collect();
        let constants = format!(
            "torch.set_default_dtype(torch.float{})\nTOLERANCE = {}\nFLOOR = {}  # smaller tensors are compared as if their \
             largest number were this\nDROPOUT = [{}]\n{}",
            if is_double { 64 } else { 32 },
            number(tolerance),
            number(FLOOR),
            rates.join(", "),
            sections.constants()
        );
        let training = format!("{loss}\n\n{optimizer}\n\n{}", sections.scheduler());
        let average = average(config.train.average.as_ref());
        Ok(Self { constants, model: module(&ops, &splits.preprocessing.row), training, average })
    }

    /// The script for these updates.
    pub(super) fn text(&self, made: &Trajectory) -> String {
        let Self { constants, model, training, average } = self;
        let Trajectory { steps, epoch_ends } = made;
        let end = |EpochEnd { step, monitored }: &EpochEnd| {
            format!("{step}: {}", monitored.map_or("None".to_owned(), number))
        };
        let ends: Vec<String> = epoch_ends.iter().map(end).collect();
        let ends = ends.join(", ");
        format!(
            "\"\"\"The first updates of a run of descent in PyTorch, beside what descent computes: verify.npz has its rows, and \
             the weights\nbefore the first update and after each. `python3 verify.py` says whether they agree; its exit code is 1 \
             where they differ.\n\"\"\"\n\nimport fnmatch\nimport pathlib\nimport sys\nimport traceback\n\nimport numpy as \
             np\nimport torch\nfrom torch import nn\n\nFOLDER = pathlib.Path(__file__).resolve().parent\nSTEPS = {steps}\nEPOCH_ENDS = \
             {{{ends}}}  # the updates at the ends of epochs, and what the schedule monitors\n{constants}\n\n{model}\n\n{training}\n\n{average}\n\n{MAIN}"
        )
    }
}

/// Checks that the rows count alike, and that the masks of dropout can be handed over.
fn require_comparable(ops: &[Op], rows: &Dataset, config: &Config) -> Result<()> {
    if rows.is_weighted() {
        let problem = format!("the script does not weigh rows; {}", without_weights(config)?);
        return Err(Error::Config(problem));
    }
    let is_recurrent = ops.iter().any(|op| matches!(op, Op::Recurrent { .. }));
    let p = ops.iter().find_map(|op| if let Op::Dropout { p } = op { Some(*p) } else { None });
    match p {
        Some(p) if is_recurrent => Err(Error::key(
            "model.dropout",
            format!(
                "is {p}; PyTorch draws the masks between its recurrent layers itself, and they cannot be descent's: --set \
                 model.dropout=0.0 compares the rest of the run"
            ),
        )),
        _ => Ok(()),
    }
}

/// What compares a run with rows that count alike.
fn without_weights(config: &Config) -> Result<String> {
    let table: Table =
        config.to_toml()?.parse().map_err(|e: toml::de::Error| Error::Config(e.to_string()))?;
    let column = table.get("data").and_then(|data| data.get("weight")).and_then(Value::as_str);
    Ok(match column {
        // Without its role the column would be a feature.
        Some(column) => format!(
            "--set data.weight=null --set 'data.columns.{}=\"ignore\"' compares the rest of the run",
            printable(column)
        ),
        None => {
            "--set data.path=… compares the rest of the run with an .npz file that has no w_train".to_owned()
        }
    })
}

/// The error of something that PyTorch does not have, and what compares the rest of the run.
fn refused(missing: &Missing, key: &str, other: &str) -> Error {
    let problem = format!(
        "has nothing to be compared with: {missing}; --set '{key}={other}' compares the rest of the run"
    );
    Error::key(key, problem)
}

/// Writes the direction of a metric that a schedule monitors: in torch a `mode` that is left out is "min".
fn fill_mode(sections: &mut Sections) {
    let schedule = &mut sections.schedule;
    let monitor = schedule.get("monitor").and_then(Value::as_str).map(str::to_owned);
    let is_plateau = schedule.get("name").and_then(Value::as_str) == Some("reduce_on_plateau");
    let rises =
        monitor.and_then(|monitor| metrics::direction(&monitor)) == Some(metrics::Direction::HigherIsBetter);
    if is_plateau && rises && !schedule.contains_key("mode") {
        schedule.insert("mode".to_owned(), "max".into());
    }
}

/// `averaged(model)`: torch's `AveragedModel`, where weights are averaged.
fn average(rule: Option<&Averages>) -> String {
    let (from, body) = match rule {
        None => (0, "    return None\n".to_owned()),
        Some(Averages::Swa(swa)) => {
            (swa.start_epoch, "    return torch.optim.swa_utils.AveragedModel(model)\n".to_owned())
        }
        Some(Averages::Ema(ema)) => {
            let decay = number(ema.decay);
            let keep = if ema.warmup {
                format!("min({decay}, (1 + int(count)) / (10 + int(count)))")
            } else {
                decay
            };
            let body = format!(
                "    def mean(average, weight, count):\n        keep = {keep}\n        return keep * average + (1 - keep) * \
                 weight\n\n    return torch.optim.swa_utils.AveragedModel(model, avg_fn=mean)\n"
            );
            (0, body)
        }
    };
    let from = value(&Value::Integer(from.cast_signed()));
    format!(
        "AVERAGE_FROM = {from}  # the first epoch whose end joins an average; 0: every update does\n\n\ndef averaged(model):\n    \
         \"\"\"The run's average of the weights.\"\"\"\n{body}"
    )
}
