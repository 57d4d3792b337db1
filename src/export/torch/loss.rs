//! The loss of the run as Python.

use toml::{Table, Value};

use super::missing::Missing;
use super::text::{camel, list, name, number, options, value};

/// The mean of the losses of an ensemble's members.
pub(super) const MEMBERS: &str = include_str!("members.py");

/// The loss, as an expression.
pub(super) fn body(section: &Table, classes: &[String]) -> Result<String, Missing> {
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
    Ok(body)
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
