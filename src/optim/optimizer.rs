//! The optimizer: state and the loop over the parameters, for every rule.

mod directions;
mod matching;
mod minimize;
mod rule_step;
mod state;
#[cfg(test)]
mod tests;

use candle_core::{Tensor, Var};

use self::matching::{require_matches, require_reparametrized};
use self::rule_step::{RuleFactors, RuleStep, transform};
use super::schedule::{Rates, SchedulePlan, ScheduleTime};
use super::{
    Clipping, ClosureState, Grouped, Hyperparameters, LossAndGrad, Rule, Slot, StepContext, UpdateKind,
    UpdateRule,
};
use crate::error::{Error, Result};
use crate::kernels::GradOut;
use crate::kernels::update::flush;
use crate::nn::{Gradients, Param, Params};

/// An optimizer of a network's parameters: the rules and their state.
#[derive(Debug)]
pub struct Optimizer {
    options: Grouped,
    plan: SchedulePlan,
    rules: Vec<Applied>,
    params: Vec<Slotted>,
    /// The state of a rule that updates all parameters at once.
    history: ClosureState,
    steps: u64,
}

/// A rule and its numbers, in [`Hyperparameters::numbers`]' order.
#[derive(Debug)]
struct Applied {
    rule: Rule,
    /// The [`Param::gain`] of its parameters.
    gain: f64,
    numbers: [f64; 2],
}

/// Computes the loss and the flattened gradient at the current parameters; `None` if they are not finite.
pub type Evaluate<'a> = dyn FnMut(&Optimizer) -> Result<Option<LossAndGrad>> + 'a;

/// An optimizer's step count and scalar state, without the state of its parameters.
#[derive(Debug, Clone)]
pub struct OptimizerPosition {
    steps: u64,
    numbers: Vec<[f64; 2]>,
}

/// Updates between two in which decayed weights are flushed.
const FLUSHED_EVERY: u64 = 64;

/// A trained parameter, the index of its rule, and its slots.
#[derive(Debug)]
struct Slotted {
    param: Param,
    rule: usize,
    slots: Vec<(Slot, Var)>,
}

/// The rule, if it updates parameter by parameter.
fn by_parameter(rule: &Rule) -> Option<&dyn UpdateRule> {
    match rule.update_kind() {
        UpdateKind::Parameter(rule) => Some(rule),
        UpdateKind::Closure(_) => None,
    }
}

impl Optimizer {
    /// An optimizer of all trainable parameters that are not frozen; learning rate and momentum follow `plan`.
    ///
    /// # Errors
    /// An invalid option, a group that matches no parameter, parameters that are all frozen, or a plan that cycles a
    /// momentum that a rule does not have.
    pub fn new(options: Grouped, plan: SchedulePlan, params: &Params) -> Result<Self> {
        options.check().map_err(|e| Error::Key(e.under("optimizer")))?;
        plan.check().map_err(|e| Error::Key(e.under("schedule")))?;
        require_matches(&options, params)?;
        let (rules, members, history) = (Vec::new(), Vec::new(), ClosureState::default());
        let mut optimizer = Self { options, plan, rules, params: members, history, steps: 0 };
        for param in params.trainable() {
            let group = optimizer.options.groups.iter().find(|group| group.matches(param.name()));
            if group.is_some_and(|group| group.frozen) {
                continue;
            }
            let rule = group.map_or(&optimizer.options.rule, |group| &group.rule).clone();
            optimizer.add(param, rule)?;
        }
        if optimizer.params.is_empty() {
            let problem = "leaves no parameter to train: all are frozen; leave at least one";
            return Err(Error::key("optimizer.groups", problem));
        }
        Ok(optimizer)
    }

    fn add(&mut self, param: &Param, rule: Rule) -> Result<()> {
        let (dims, gain) = (param.value().dims(), param.gain());
        require_reparametrized(&rule, gain)?;
        let mut rule = by_parameter(&rule).and_then(|rule| rule.fallback_for(dims)).unwrap_or(rule);
        self.plan.start_momentum(&mut rule).map_err(Error::Key)?;
        let lr = self.plan.at(rule.common().lr, ScheduleTime::FIRST).lr;
        let mut slots = Vec::new();
        for slot in by_parameter(&rule).map(|rule| rule.slots(dims)).unwrap_or_default() {
            let value = param.value();
            let start = Tensor::full(slot.initial.at(lr), slot.dims(dims), value.device())?;
            let start = start.to_dtype(value.dtype())?;
            slots.push((slot, Var::from_tensor(&start)?));
        }
        let is_same = |applied: &Applied| applied.rule == rule && applied.gain.to_bits() == gain.to_bits();
        let known = self.rules.iter().position(is_same);
        let index = known.unwrap_or_else(|| {
            let numbers = by_parameter(&rule).map(|rule| rule.initial_numbers(lr)).unwrap_or_default();
            self.rules.push(Applied { rule, gain, numbers });
            self.rules.len() - 1
        });
        self.params.push(Slotted { param: param.clone(), rule: index, slots });
        Ok(())
    }

    /// The rule of the parameters outside all groups.
    pub fn rule(&self) -> &Rule {
        &self.options.rule
    }

    /// The schedule of learning rate and momentum.
    pub fn plan(&self) -> &SchedulePlan {
        &self.plan
    }

    /// The learning rate of the parameters outside all groups.
    pub fn lr(&self, time: ScheduleTime) -> f64 {
        self.plan.at(self.options.rule.common().lr, time).lr
    }

    /// The learning rates of the groups that are trained, each with the group's number, counted from 1.
    pub fn group_lrs(&self, time: ScheduleTime) -> Vec<(usize, f64)> {
        let trained = (1..).zip(&self.options.groups).filter(|(_, group)| !group.frozen);
        trained.map(|(number, group)| (number, self.plan.at(group.rule.common().lr, time).lr)).collect()
    }

    /// The number of elements it updates.
    pub fn count(&self) -> usize {
        self.params.iter().map(|slotted| slotted.param.value().elem_count()).sum()
    }

    /// The number of updates made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether an update takes further evaluations of the loss: then it is [`Self::minimize`], else [`Self::step`].
    pub fn needs_closure(&self) -> bool {
        by_parameter(&self.options.rule).is_none()
    }

    /// Whether `param` stays as it is.
    pub fn is_frozen(&self, param: &Param) -> bool {
        !self.params.iter().any(|slotted| slotted.param.index() == param.index())
    }

    /// Whether every update is plain descent: then the product that makes a gradient can be added to its weight in one
    /// pass instead of three.
    pub fn is_plain_descent(&self) -> bool {
        let plain =
            |applied: &Applied| by_parameter(&applied.rule).is_some_and(Hyperparameters::is_plain_descent);
        // A momentum that a schedule cycles may be 0 for a moment; its buffer is there.
        let stateless = self.params.iter().all(|slotted| slotted.slots.is_empty());
        stateless && self.rules.iter().all(plain)
    }

    /// Whether every rule moves each element by itself, and so leaves it to a GPU whether an update is made.
    pub fn is_per_element(&self) -> bool {
        self.rules.iter().all(|applied| by_parameter(&applied.rule).is_some_and(UpdateRule::is_per_element))
    }

    /// Its position, to return to.
    pub fn position(&self) -> OptimizerPosition {
        OptimizerPosition {
            steps: self.steps,
            numbers: self.rules.iter().map(|applied| applied.numbers).collect(),
        }
    }

    /// Returns to an earlier position, after updates that were not made.
    pub fn return_to(&mut self, position: &OptimizerPosition) {
        self.steps = position.steps;
        for (applied, numbers) in self.rules.iter_mut().zip(&position.numbers) {
            applied.numbers = *numbers;
        }
    }

    /// Clips the gradients and updates every parameter with the learning rate of this time.
    pub fn step(
        &mut self,
        gradients: &Gradients<'_>,
        clipping: Clipping<'_>,
        time: ScheduleTime,
    ) -> Result<()> {
        self.step_unless(&|| false, gradients, clipping, time)
    }

    /// As [`Self::step`], or [`Error::Interrupted`] before a weight or a slot is changed: [`Self::return_to`] brings
    /// back the position before.
    pub fn step_unless(
        &mut self,
        gives_up: &dyn Fn() -> bool,
        gradients: &Gradients<'_>,
        clipping: Clipping<'_>,
        time: ScheduleTime,
    ) -> Result<()> {
        let steps = self.advance(clipping, time);
        let directions = self.directions(gradients, &steps, gives_up)?;
        for (index, Slotted { param, rule, slots }) in self.params.iter().enumerate() {
            let Some(grad) = gradients.get(param) else { continue };
            let RuleStep { transform, step } = &steps[*rule];
            // A Var is a handle: cloning it copies no numbers.
            let slots: Vec<Var> = slots.iter().map(|(_, var)| var.clone()).collect();
            let Some(rule) = by_parameter(&self.rules[*rule].rule) else { continue };
            match directions.get(index) {
                Some(Some(direction)) => {
                    rule.update_along(direction, param.var(), grad, &slots, transform, *step)?;
                }
                _ => rule.update(param.var(), grad, &slots, transform, *step)?,
            }
        }
        gradients.for_each_factors(|factors| {
            factors.multiply(factors.of.map(|index| {
                let Slotted { param, rule, .. } =
                    self.params.iter().find(|slotted| slotted.param.index() == index)?;
                Some(GradOut { buffer: param.value(), accumulate: steps[*rule].plain_descent() })
            }))
        })?;
        self.steps += 1;
        self.flush(&steps)
    }

    /// Flushes weights that have decayed to subnormal numbers, every [`FLUSHED_EVERY`] updates: one pass over the weights
    /// would cost plain descent a tenth of an update, and a weight takes a thousand to decay through them.
    fn flush(&self, steps: &[RuleStep<'_>]) -> Result<()> {
        if !self.steps.is_multiple_of(FLUSHED_EVERY) {
            return Ok(());
        }
        let decays = |slotted: &&Slotted| steps[slotted.rule].decays();
        self.params.iter().filter(decays).try_for_each(|slotted| Ok(flush(slotted.param.var())?))
    }

    /// Advances every rule's momentum and numbers to the next step.
    fn advance<'a>(&mut self, clipping: Clipping<'a>, time: ScheduleTime) -> Vec<RuleStep<'a>> {
        let t = self.steps + 1;
        let advance = |Applied { rule, gain, numbers }: &mut Applied| {
            let Rates { lr, momentum, weight_decay, .. } = self.plan.at(rule.common().lr, time);
            if let (Some(own), Some(momentum)) = (rule.momentum_mut(), momentum) {
                *own = momentum;
            }
            let transform = transform(rule, lr, clipping, RuleFactors { gain: *gain, weight_decay });
            let mut step = StepContext { t, lr: lr / *gain, numbers_before: *numbers, numbers: *numbers };
            if let Some(rule) = by_parameter(rule) {
                rule.advance(numbers, step);
            }
            step.numbers = *numbers;
            RuleStep { transform, step }
        };
        self.rules.iter_mut().map(advance).collect()
    }
}
