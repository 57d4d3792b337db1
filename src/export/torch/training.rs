//! The optimizer, schedule and loss of the run as Python, so that training goes on there.

use std::fmt::Write;

use toml::{Table, Value};

use super::bag;
use super::loss;
use super::missing::Missing;
use super::text::{camel, list, name, options, quoted, value};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::export::model::TrainedModel;
use crate::export::outputs::names;

/// `train`, `load`, `predict` and the check.
const TRAINING: &str = include_str!("training.py");

/// The heads of functions.
const LOSS: &str = "def loss():\n    \"\"\"The run's loss of the network's values and the targets.\"\"\"\n";
const OPTIMIZER: &str = "def optimizer(model):\n    \"\"\"The run's optimizer.\"\"\"\n";

/// The optimizer of matrices, and another for what is none.
const MUON: &str = include_str!("muon.py");

/// The parameters with the options of their groups.
const GROUPS: &str = include_str!("groups.py");

/// The sections of a config that say how it trains.
pub(in crate::export) struct Sections {
    train: Table,
    loss: Table,
    optimizer: Table,
    /// Whether each tensor has a learning rate of its own.
    is_ntk: bool,
    /// Whether the network gives values of several members.
    is_ensemble: bool,
    /// `[schedule]`; empty where there is none.
    pub(in crate::export) schedule: Table,
}

/// All of training.
pub(super) fn functions(model: &TrainedModel) -> Result<String> {
    let sections = Sections::of(&model.config)?;
    let loss = sections.loss(&names(&model.columns()));
    Ok(format!(
        "{}\n\n{}\n\n{}\n\n{}\n\n{}",
        sections.constants(),
        loss.unwrap_or_else(|what| LOSS.to_owned() + &raise(&what)),
        sections.optimizer().unwrap_or_else(|what| OPTIMIZER.to_owned() + &raise(&what)),
        sections.scheduler(),
        bag::of_model(model, TRAINING)
    ))
}

impl Sections {
    /// Those of this config.
    pub(in crate::export) fn of(config: &Config) -> Result<Self> {
        let config: Table = toml::from_str(&config.to_toml()?).map_err(|e| Error::Config(e.to_string()))?;
        let section = |name: &str| config.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
        let [train, loss, optimizer, schedule] = ["train", "loss", "optimizer", "schedule"].map(section);
        let is_ntk = section("model").get("parametrization").and_then(Value::as_str) == Some("ntk");
        let is_ensemble = section("model").contains_key("ensemble");
        Ok(Self { train, loss, optimizer, is_ntk, is_ensemble, schedule })
    }

    /// How batches are made, clipped and counted.
    pub(in crate::export) fn constants(&self) -> String {
        let Self { train, schedule, .. } = self;
        let batch = train.get("batch_size").filter(|size| size.is_integer()).map_or("None".to_owned(), value);
        let option = |key: &str| train.get(key).map_or("None".to_owned(), value);
        format!(
            "BATCH_SIZE = {batch}\nEPOCHS = {}\nSHUFFLE = {}\nCLIP_GRAD_NORM = {}\nCLIP_GRAD_VALUE = {}\nPER_STEP = \
             {}\nWARMUP_STEPS = {}\n",
            option("epochs"),
            option("shuffle"),
            option("clip_grad_norm"),
            option("clip_grad_value"),
            value(&Value::Boolean(schedule.get("interval").and_then(Value::as_str) == Some("step"))),
            schedule.get("warmup_steps").map_or("0".to_owned(), value),
        )
    }

    /// `loss()`, for these classes or labels.
    pub(in crate::export) fn loss(&self, classes: &[String]) -> Result<String, Missing> {
        let body = loss::body(&self.loss, classes)?;
        Ok(if self.is_ensemble {
            format!("{}\n\n{LOSS}    return mean_of_members({body})\n", loss::MEMBERS)
        } else {
            format!("{LOSS}    return {body}\n")
        })
    }

    /// `optimizer(model)`.
    pub(in crate::export) fn optimizer(&self) -> Result<String, Missing> {
        if self.is_ntk {
            return Err(Missing::Parametrization);
        }
        if let Some(key) =
            ["weight_decay", "dropout"].into_iter().find(|key| self.schedule.contains_key(*key))
        {
            return Err(Missing::Declining(key));
        }
        optimizer(&self.optimizer)
    }

    /// `scheduler(opt, length)`.
    pub(in crate::export) fn scheduler(&self) -> String {
        scheduler(&self.schedule)
    }
}

/// A body that says what torch does not have.
fn raise(missing: &Missing) -> String {
    format!("    raise NotImplementedError({})\n", quoted(&missing.to_string()))
}

/// The name of an optimizer's class.
fn class(named: &str) -> String {
    match named {
        // torch's own takes matrices alone.
        "muon" => "Muon".to_owned(),
        "adamw" => "torch.optim.AdamW".to_owned(),
        "asgd" => "torch.optim.ASGD".to_owned(),
        "lbfgs" => "torch.optim.LBFGS".to_owned(),
        "nadam" => "torch.optim.NAdam".to_owned(),
        "radam" => "torch.optim.RAdam".to_owned(),
        "rmsprop" => "torch.optim.RMSprop".to_owned(),
        "sgd" => "torch.optim.SGD".to_owned(),
        other => format!("torch.optim.{}", camel(other)),
    }
}

fn optimizer(section: &Table) -> Result<String, Missing> {
    let named = name(section);
    let groups = section.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let groups: Vec<&Table> = groups.iter().filter_map(Value::as_table).collect();
    if matches!(named, "lamb" | "lion") {
        return Err(Missing::Optimizer(named.to_owned()));
    }
    if groups.iter().any(|group| name(group) != named) {
        return Err(Missing::Groups);
    }
    // Older versions of torch have an LBFGS that minimises alone.
    let minimizes = named == "lbfgs" && section.get("maximize").and_then(Value::as_bool) == Some(false);
    let own = options(section, if minimizes { &["groups", "maximize"] } else { &["groups"] });
    let muon = if named == "muon" { format!("{MUON}\n\n") } else { String::new() };
    let class = class(named);
    if groups.is_empty() {
        return Ok(format!("{muon}{OPTIMIZER}    return {class}(model.parameters(){own})\n"));
    }
    let groups = list(groups.iter().map(|group| group_of(group)));
    Ok(format!(
        "GROUPS = {groups}  # pattern, frozen, options\n\n\n{GROUPS}\n\n{muon}{OPTIMIZER}    return {class}(groups(model){own})\n"
    ))
}

/// A group as pattern, frozen and options.
fn group_of(group: &Table) -> String {
    let mut own = group.clone();
    let pattern = own.remove("match").as_ref().map(value).unwrap_or_default();
    let frozen = own.remove("frozen").as_ref().map(value).unwrap_or_default();
    own.remove("name");
    format!("({pattern}, {frozen}, {})", value(&Value::Table(own)))
}

fn scheduler(section: &Table) -> String {
    let head = "def scheduler(opt, length):\n    \"\"\"The run's schedule over so many steps of it.\"\"\"\n";
    if name(section).is_empty() {
        return format!("{head}    return None\n");
    }
    format!("{head}    return {}\n", schedule(section))
}

/// A schedule as a call.
fn schedule(section: &Table) -> String {
    let named = name(section);
    if let Some(factor) = factor(section) {
        return format!("torch.optim.lr_scheduler.LambdaLR(opt, {factor})");
    }
    let class = match named {
        "cosine_annealing_warm_restarts" => "CosineAnnealingWarmRestarts".to_owned(),
        "reduce_on_plateau" => "ReduceLROnPlateau".to_owned(),
        other => format!("{}LR", camel(other)),
    };
    let mut own =
        options(section, &["interval", "warmup_steps", "weight_decay", "dropout", "monitor", "schedules"]);
    // A length that is left out is the run's.
    let length = match named {
        "cosine_annealing" => "T_max",
        "linear" | "polynomial" => "total_iters",
        "one_cycle" => "total_steps",
        _ => "",
    };
    if !length.is_empty() && !section.contains_key(length) {
        let _ = write!(own, ", {length}=length");
    }
    if let Some(schedules) = section.get("schedules").and_then(Value::as_array) {
        own = format!(", {}{own}", list(schedules.iter().filter_map(Value::as_table).map(schedule)));
    }
    format!("torch.optim.lr_scheduler.{class}(opt{own})")
}

/// The factor of a schedule that torch lacks, as a function of the step.
fn factor(section: &Table) -> Option<String> {
    let total = section.get("total_steps").map_or_else(|| "length".to_owned(), value);
    match name(section) {
        "coslog4" => {
            Some(format!("lambda k: (1 - np.cos(2 * np.pi * np.log2(1 + 15 * min(k / {total}, 1)))) / 2"))
        }
        "flat_cos" => {
            let flat = section.get("flat").map_or_else(|| "0.5".to_owned(), value);
            let down = format!("max(min(k / {total}, 1) - {flat}, 0) / (1 - {flat})");
            Some(format!("lambda k: (1 + np.cos(np.pi * {down})) / 2"))
        }
        _ => None,
    }
}
