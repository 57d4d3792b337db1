//! The lengths of a schedule beside that of the run: one that ends before it, or that it does not reach.

use crate::registry::KeyError;

/// The maximum length of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLength {
    /// Its epochs.
    pub epochs: u64,
    /// Its updates.
    pub updates: u64,
}

/// The steps for which a schedule runs.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleSpan<'a> {
    /// Their number.
    pub steps: u64,
    /// "epochs" or "updates"
    pub unit: &'a str,
    /// "the run has", or "it runs for" within another schedule.
    pub whose: &'a str,
}

/// An option that is a number of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// The option.
    pub key: &'static str,
    /// The steps.
    pub steps: u64,
    /// The behaviour of the learning rate after it.
    pub end: AfterLength,
}

/// The behaviour of the learning rate after a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterLength {
    /// Nothing that trains: the learning rate has reached its end, or rises again.
    Over,
    /// A learning rate to go on with.
    Steady,
    /// The other half of a cycle.
    Half,
    /// A change of the learning rate, the first of its kind.
    Change,
}

/// A length that does not fit the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The option and the problem.
    pub error: KeyError,
    /// Whether the schedule ends before the run; otherwise the run ends before the schedule.
    pub is_short: bool,
}

impl Misfit {
    /// The same within the table at `key`.
    pub(super) fn under(self, key: &str) -> Self {
        Self { error: self.error.under(key), ..self }
    }
}

impl Length {
    /// A length after which the learning rate has reached its end.
    pub(super) fn to_the_end(key: &'static str, steps: Option<u64>) -> Vec<Self> {
        steps.map(|steps| Self { key, steps, end: AfterLength::Over }).into_iter().collect()
    }

    /// A length of another kind.
    pub(super) fn of(key: &'static str, steps: u64, end: AfterLength) -> Vec<Self> {
        vec![Self { key, steps, end }]
    }

    /// The problem with it in a schedule that runs for this span, if any.
    pub(super) fn misfit(
        &self,
        ScheduleSpan { steps: run, unit, whose }: ScheduleSpan<'_>,
    ) -> Option<Misfit> {
        // "1 epoch", "2 epochs"
        let unit = if run == 1 { unit.trim_end_matches('s') } else { unit };
        let Self { key, steps, end } = *self;
        let cut_off = |reach: String| {
            format!("is {steps}, but {whose} {run} {unit}: the schedule is cut off before its end; {reach}")
        };
        let (is_short, problem) = match end {
            AfterLength::Over if steps < run => {
                let rest = run - steps;
                (
                    true,
                    format!(
                        "is {steps}, but {whose} {run} {unit}, and the last {rest} would train after its end: write {run}, or leave it out"
                    ),
                )
            }
            AfterLength::Over if steps > run => (false, cut_off(format!("{run} reaches it"))),
            AfterLength::Steady if steps > run => (false, cut_off(format!("{run} or fewer reach it"))),
            AfterLength::Half if steps > run => {
                (false, cut_off(format!("{} or fewer make a whole cycle", (run / 2).max(1))))
            }
            AfterLength::Change if steps >= run => (
                false,
                format!(
                    "is {steps}, but {whose} {run} {unit}: the learning rate does not change there; less than {run} is reached"
                ),
            ),
            _ => return None,
        };
        Some(Misfit { error: KeyError::new(key, problem), is_short })
    }
}

/// The milestones that a span does not reach.
pub(super) fn milestone_misfits(milestones: &[u64], span: ScheduleSpan<'_>) -> Vec<Misfit> {
    let misfit = |(index, steps): (usize, &u64)| {
        let length = Length { key: "", steps: *steps, end: AfterLength::Change };
        Some(length.misfit(span)?.under(&format!("milestones[{index}]")))
    };
    milestones.iter().enumerate().filter_map(misfit).collect()
}
