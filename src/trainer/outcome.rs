//! An update before and after it has run.

use super::options::FloatType;
use crate::nn::Gradients;
use crate::optim::{Clip, Clipping, OptimizerPosition};

/// The report of an update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The number of the update, from 1.
    pub step: u64,
    /// The sum of the rows' losses before the update.
    pub loss_sum: f64,
    /// The divisor that turns that sum into the mean.
    pub total: f64,
    /// The number of rows.
    pub rows: usize,
    /// The learning rate.
    pub lr: f64,
    /// The norm of all gradients before they were clipped, if it was computed.
    pub norm: Option<f64>,
    /// Whether they were clipped by their norm.
    pub is_clipped: bool,
}

/// An update that is in flight.
#[derive(Debug)]
pub(super) struct Submitted {
    /// All but its loss.
    pub(super) update: Update,
    /// `None` if it is known later.
    pub(super) outcome: Option<UpdateOutcome>,
    pub(super) epoch: u64,
    pub(super) rows: Vec<u32>,
    /// The trainer's position before it.
    pub(super) before: Position,
}

/// A trainer's step count and scalar state, without tensors.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) optimizer: OptimizerPosition,
    /// The number of weights that have joined their average.
    pub(super) averaged: u64,
}

/// The outcome of an update.
#[derive(Debug, Clone, Copy)]
pub(super) struct UpdateOutcome {
    /// The sum of the rows' losses before it.
    pub(super) loss_sum: f64,
    /// The norm of the gradients, NaN where nothing asked for it.
    pub(super) norm: f64,
    /// Whether loss and gradients are finite: otherwise the update was not made.
    pub(super) is_finite: bool,
}

/// The limits that an update is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The clipping of the gradients.
    pub(super) clip: Clip,
    /// The type that the mean loss must fit.
    pub(super) dtype: FloatType,
    /// Whether the norm of the gradients is needed for the log, if they are in one buffer.
    pub(super) wants_norm: bool,
}

/// Loss and gradients that were checked.
pub(super) struct Checked<'a> {
    /// `None` if it is known later.
    pub(super) outcome: Option<UpdateOutcome>,
    /// The gradients of the optimizer's step and their clipping; `None` if they are known not to be finite.
    pub(super) step: Option<(Gradients<'a>, Clipping<'a>)>,
}
