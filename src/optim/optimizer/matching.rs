//! The match of groups and parameters.

use crate::error::{Error, Result};
use crate::names::first_few;
use crate::nn::{Param, Params};
use crate::optim::{Grouped, Rule, UpdateKind};

/// Requires that every group has a parameter: one that it matches, and that no group before it does.
pub(super) fn require_matches(options: &Grouped, params: &Params) -> Result<()> {
    for (index, group) in options.groups.iter().enumerate() {
        let names: Vec<&str> = params.trainable().iter().map(Param::name).collect();
        if !names.iter().any(|name| group.matches(name)) {
            let problem = format!(
                "is `{}`, which matches no parameter; the parameters are {}",
                group.pattern,
                first_few(names.iter().map(|name| (*name).to_owned()))
            );
            return Err(Error::key(format!("optimizer.groups[{index}].match"), problem));
        }
        let before = &options.groups[..index];
        let hides = |name: &&str| before.iter().find(|other| other.matches(name)).map(|other| &other.pattern);
        let own: Vec<&str> = names.into_iter().filter(|name| group.matches(name)).collect();
        let mut hidden_by: Vec<&String> = own.iter().filter_map(hides).collect();
        if hidden_by.len() == own.len() {
            hidden_by.dedup();
            let others: Vec<String> = hidden_by.iter().map(|pattern| format!("`{pattern}`")).collect();
            let problem = format!(
                "is `{}`, but a parameter belongs to the first group that matches it, and {} before it leaves this \
                 group none: put this one first, or remove it",
                group.pattern,
                others.join(", ")
            );
            return Err(Error::key(format!("optimizer.groups[{index}].match"), problem));
        }
    }
    Ok(())
}

/// Requires that the rule is one for parameters of this gain: for any, if it is 1.
#[allow(clippy::float_cmp, reason = "exactly 1 where there is no gain")]
pub(super) fn require_reparametrized(rule: &Rule, gain: f64) -> Result<()> {
    let fits = match rule.update_kind() {
        UpdateKind::Parameter(own) => own.scales_with_lr(),
        UpdateKind::Closure(_) => false,
    };
    if gain == 1.0 || fits {
        return Ok(());
    }
    let problem = format!(
        "is \"ntk\", which needs a learning rate for each tensor, and the steps of `{}` are not in proportion to one; take \
         `adam`, `adamw` or `sgd`, or \"standard\"",
        rule.name()
    );
    Err(Error::key("model.parametrization", problem))
}
