//! The state of an optimizer's param group that schedules of a sequence share, as torch's do.
//!
//! Each scheduler of a `SequentialLR` is made before it, and the first of them records the group's learning rate as
//! `initial_lr`, from which the others start too. `CyclicLR` sets the learning rate before it is recorded, `OneCycleLR`
//! overwrites what was recorded, and keeps its bounds in the group, where a later one overwrites them.

/// The learning rates of a param group as one schedule of a sequence finds them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamGroup {
    /// `initial_lr` when it was made: its `base_lrs`.
    pub base_lr: f64,
    /// The learning rate from which it starts.
    pub lr: f64,
    /// The bounds that cycles left.
    pub cycles: CycleBounds,
}

/// The bounds that cycles leave in a param group, and every `one_cycle` takes from there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CycleBounds {
    /// The learning rates of the last `one_cycle`.
    pub lr: Option<LrBounds>,
    /// The momenta of the last schedule that cycles them.
    pub momentum: Option<MomentumBounds>,
}

/// The learning rates between which a `one_cycle` goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LrBounds {
    /// `initial_lr`
    pub start: f64,
    /// `max_lr`
    pub max: f64,
    /// `min_lr`, the final one.
    pub end: f64,
}

/// The momenta between which a schedule cycles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentumBounds {
    /// `base_momentum`
    pub base: f64,
    /// `max_momentum`, at which training starts.
    pub max: f64,
}
