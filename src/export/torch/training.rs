//! The optimizer, schedule and loss of the run as Python, so that training goes on there.

use std::fmt::Write;

use toml::{Table, Value};

use super::text::{camel, list, number, quoted, value};
use crate::error::{Error, Result};
use crate::export::model::TrainedModel;
use crate::export::outputs::names;

/// `train`, `load`, `predict` and the check.
const TRAINING: &str = include_str!("training.py");

/// The parameters with the options of their groups.
const GROUPS: &str = include_str!("groups.py");

/// All of training.
pub(super) fn functions(model: &TrainedModel) -> Result<String> {
    let config: Table = toml::from_str(&model.config.to_toml()?).map_err(|e| Error::Config(e.to_string()))?;
    let section = |name: &str| config.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
    let (train, schedule) = (section("train"), section("schedule"));
    let batch = train.get("batch_size").filter(|size| size.is_integer()).map_or("None".to_owned(), value);
    let option = |key: &str| train.get(key).map_or("None".to_owned(), value);
    let constants = format!(
        "BATCH_SIZE = {batch}\nEPOCHS = {}\nSHUFFLE = {}\nCLIP_GRAD_NORM = {}\nCLIP_GRAD_VALUE = {}\nPER_STEP = \
         {}\nWARMUP_STEPS = {}\n",
        option("epochs"),
        option("shuffle"),
        option("clip_grad_norm"),
        option("clip_grad_value"),
        value(&Value::Boolean(schedule.get("interval").and_then(Value::as_str) == Some("step"))),
        schedule.get("warmup_steps").map_or("0".to_owned(), value),
    );
    Ok(format!(
        "{constants}\n\n{}\n\n{}\n\n{}\n\n{TRAINING}",
        loss(&section("loss"), model),
        optimizer(&section("optimizer")),
        scheduler(&schedule)
    ))
}

/// `, lr=0.001, …`: the options of a section but for these.
fn options(section: &Table, without: &[&str]) -> String {
    let kept = section.iter().filter(|(key, _)| !without.contains(&key.as_str()) && *key != "name");
    kept.fold(String::new(), |all, (key, item)| format!("{all}, {key}={}", value(item)))
}

fn name(section: &Table) -> &str {
    section.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// A body that says what torch does not have.
fn missing(what: &str) -> String {
    format!("    raise NotImplementedError({})\n", quoted(&format!("torch has no {what}")))
}

fn optimizer(section: &Table) -> String {
    let named = name(section);
    let class = match named {
        "adamw" => "AdamW".to_owned(),
        "asgd" => "ASGD".to_owned(),
        "lbfgs" => "LBFGS".to_owned(),
        "nadam" => "NAdam".to_owned(),
        "radam" => "RAdam".to_owned(),
        "rmsprop" => "RMSprop".to_owned(),
        "sgd" => "SGD".to_owned(),
        other => camel(other),
    };
    let groups = section.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let groups: Vec<&Table> = groups.iter().filter_map(Value::as_table).collect();
    let head = "def optimizer(model):\n    \"\"\"The run's optimizer.\"\"\"\n";
    if matches!(named, "lamb" | "lion") {
        return format!("{head}{}", missing(named));
    }
    if groups.iter().any(|group| name(group) != named) {
        return format!("{head}{}", missing("optimizer with groups of other optimizers"));
    }
    // LBFGS in torch minimises.
    let without = if named == "lbfgs" { ["groups", "maximize"] } else { ["groups", ""] };
    let own = options(section, &without);
    if groups.is_empty() {
        return format!("{head}    return torch.optim.{class}(model.parameters(){own})\n");
    }
    let group = |group: &&Table| {
        let mut own = (*group).clone();
        let pattern = own.remove("match").as_ref().map(value).unwrap_or_default();
        let frozen = own.remove("frozen").as_ref().map(value).unwrap_or_default();
        own.remove("name");
        format!("({pattern}, {frozen}, {})", value(&Value::Table(own)))
    };
    let groups = list(groups.iter().map(group));
    format!(
        "GROUPS = {groups}  # pattern, frozen, options\n\n\n{GROUPS}\n\n{head}    return torch.optim.{class}(groups(model){own})\n"
    )
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

fn loss(section: &Table, model: &TrainedModel) -> String {
    let head = "def loss():\n    \"\"\"The run's loss of the network's values and the targets.\"\"\"\n";
    let named = name(section);
    if section.contains_key("class_weight") {
        return format!(
            "{head}{}",
            missing("`class_weight`; give `weight` the weights that the run computed")
        );
    }
    let own = weights(section, model)
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
        other => return format!("{head}{}", missing(&format!("loss `{other}`"))),
    };
    format!("{head}    return {body}\n")
}

/// The weights of classes as tensors.
fn weights(section: &Table, model: &TrainedModel) -> String {
    let classes = names(&model.columns());
    let tensor = |key: &str| {
        let numbers = match section.get(key)? {
            // By name; a class without one has 1.
            Value::Table(by_name) => {
                list(classes.iter().map(|class| by_name.get(class).map_or_else(|| number(1.0), value)))
            }
            other => value(other),
        };
        Some(format!(", {key}=torch.tensor({numbers}, dtype=torch.float32)"))
    };
    ["weight", "pos_weight"].into_iter().filter_map(tensor).collect()
}
