//! The optimizer, schedule and loss of the run as Python, so that training goes on there.

use std::fmt::{self, Write};

use toml::{Table, Value};

use super::text::{camel, list, number, quoted, value};
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

/// What torch does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::export) enum Missing {
    /// An optimizer of this name.
    Optimizer(String),
    /// Groups of other optimizers.
    Groups,
    /// Weights of classes that are computed from the rows.
    ClassWeight,
    /// A loss of this name.
    Loss(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optimizer(name) => write!(f, "torch has no {name}"),
            Self::Groups => write!(f, "torch has no optimizer with groups of other optimizers"),
            Self::ClassWeight => {
                write!(f, "torch has no `class_weight`; give `weight` the weights that the run computed")
            }
            Self::Loss(name) => write!(f, "torch has no loss `{name}`"),
        }
    }
}

/// The sections of a config that say how it trains.
pub(in crate::export) struct Sections {
    train: Table,
    loss: Table,
    optimizer: Table,
    /// `[schedule]`; empty where there is none.
    pub(in crate::export) schedule: Table,
}

/// All of training.
pub(super) fn functions(model: &TrainedModel) -> Result<String> {
    let sections = Sections::of(&model.config)?;
    let loss = sections.loss(&names(&model.columns()));
    Ok(format!(
        "{}\n\n{}\n\n{}\n\n{}\n\n{TRAINING}",
        sections.constants(),
        loss.unwrap_or_else(|what| LOSS.to_owned() + &raise(&what)),
        sections.optimizer().unwrap_or_else(|what| OPTIMIZER.to_owned() + &raise(&what)),
        sections.scheduler()
    ))
}

impl Sections {
    /// Those of this config.
    pub(in crate::export) fn of(config: &Config) -> Result<Self> {
        let config: Table = toml::from_str(&config.to_toml()?).map_err(|e| Error::Config(e.to_string()))?;
        let section = |name: &str| config.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
        let [train, loss, optimizer, schedule] = ["train", "loss", "optimizer", "schedule"].map(section);
        Ok(Self { train, loss, optimizer, schedule })
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
        loss(&self.loss, classes)
    }

    /// `optimizer(model)`.
    pub(in crate::export) fn optimizer(&self) -> Result<String, Missing> {
        optimizer(&self.optimizer)
    }

    /// `scheduler(opt, length)`.
    pub(in crate::export) fn scheduler(&self) -> String {
        scheduler(&self.schedule)
    }
}

/// `, lr=0.001, …`: the options of a section but for these.
fn options(section: &Table, without: &[&str]) -> String {
    let kept = section.iter().filter(|(key, _)| !without.contains(&key.as_str()) && *key != "name");
    // Adafactor's None is "none" in TOML.
    let value = |item: &Value| value(item).replace("[\"none\", ", "[None, ");
    kept.fold(String::new(), |all, (key, item)| format!("{all}, {key}={}", value(item)))
}

fn name(section: &Table) -> &str {
    section.get("name").and_then(Value::as_str).unwrap_or_default()
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
    let mut own = options(section, &["interval", "warmup_steps", "monitor", "schedules"]);
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

fn loss(section: &Table, classes: &[String]) -> Result<String, Missing> {
    let named = name(section);
    if section.contains_key("class_weight") {
        return Err(Missing::ClassWeight);
    }
    let own = weights(section, classes)
        + &options(section, &["weight", "pos_weight", "from_logits", "variance", "gamma"]);
    let own = own.trim_start_matches(", ");
    let log = if section.get("from_logits").and_then(Value::as_bool) == Some(false) {
        "x"
    } else {
        "x.log_softmax(-1)"
    };
    let body = match named {
        "cross_entropy" => format!("nn.CrossEntropyLoss({own})"),
        "bce_with_logits" => format!("nn.BCEWithLogitsLoss({own})"),
        "mse" => format!("nn.MSELoss({own})"),
        "poisson_nll" => format!("nn.PoissonNLLLoss({own})"),
        "smooth_l1" | "l1" | "huber" | "hinge_embedding" => format!("nn.{}Loss({own})", camel(named)),
        "nll" => format!("lambda x, y: nn.functional.nll_loss({log}, y, {own})"),
        "kl_div" => format!("lambda x, y: nn.functional.kl_div({log}, y, {own})"),
        "gaussian_nll" => {
            let softplus = section.get("variance").and_then(Value::as_str) == Some("softplus");
            let variance = if softplus { "nn.functional.softplus" } else { "torch.exp" };
            format!(
                "lambda x, y: nn.GaussianNLLLoss({own})(x.chunk(2, -1)[0], y, {variance}(x.chunk(2, -1)[1]))"
            )
        }
        other => return Err(Missing::Loss(other.to_owned())),
    };
    Ok(format!("{LOSS}    return {body}\n"))
}

/// The weights of classes as tensors.
fn weights(section: &Table, classes: &[String]) -> String {
    let tensor = |key: &str| {
        let numbers = match section.get(key)? {
            // By name; a class without one has 1.
            Value::Table(by_name) => {
                list(classes.iter().map(|class| by_name.get(class).map_or_else(|| number(1.0), value)))
            }
            other => value(other),
        };
        Some(format!(", {key}=torch.tensor({numbers})"))
    };
    ["weight", "pos_weight"].into_iter().filter_map(tensor).collect()
}
