//! The functions of a C source that do not depend on the model. Those that are used are written, each behind those that it
//! uses.

use std::collections::BTreeSet;

use crate::nn::Activation;

/// A function. The order is that in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    Filled,
    SmoothClip,
    Circle,
    Seconds,
    Second,
    Day,
    Weekday,
    Month,
    Boolean,
    OneHot,
    Product,
    Linear,
    Embed,
    PiecewiseLinear,
    AddNumbers,
    Pick,
    Sigmoid,
    Relu,
    Gelu,
    LeakyRelu,
    Elu,
    Selu,
    Silu,
    Mish,
    Apply,
    Scale,
    Parametric,
    Affine,
    LayerNorm,
    Elman,
    Lstm,
    Gru,
    MeanOfSteps,
    Softmax,
    LogSoftmax,
    Softplus,
}

impl Helper {
    /// The functions that it calls.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Linear | Self::Elman => &[Self::Product],
            Self::Lstm | Self::Gru => &[Self::Product, Self::Sigmoid],
            Self::Silu => &[Self::Sigmoid],
            Self::Second | Self::Day => &[Self::Seconds],
            Self::Weekday | Self::Month => &[Self::Day],
            _ => &[],
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Filled => include_str!("code/filled.c"),
            Self::SmoothClip => include_str!("code/smooth_clip.c"),
            Self::Circle => include_str!("code/circle.c"),
            Self::Seconds => include_str!("code/seconds.c"),
            Self::Second => include_str!("code/second.c"),
            Self::Day => include_str!("code/day.c"),
            Self::Weekday => include_str!("code/weekday.c"),
            Self::Month => include_str!("code/month.c"),
            Self::Boolean => include_str!("code/boolean.c"),
            Self::OneHot => include_str!("code/one_hot.c"),
            Self::Product => include_str!("code/product.c"),
            Self::Linear => include_str!("code/linear.c"),
            Self::Embed => include_str!("code/embed.c"),
            Self::PiecewiseLinear => include_str!("code/piecewise_linear.c"),
            Self::AddNumbers => include_str!("code/add_numbers.c"),
            Self::Pick => include_str!("code/pick.c"),
            Self::Sigmoid => include_str!("code/sigmoid.c"),
            Self::Relu => include_str!("code/relu.c"),
            Self::Gelu => include_str!("code/gelu.c"),
            Self::LeakyRelu => include_str!("code/leaky_relu.c"),
            Self::Elu => include_str!("code/elu.c"),
            Self::Selu => include_str!("code/selu.c"),
            Self::Silu => include_str!("code/silu.c"),
            Self::Mish => include_str!("code/mish.c"),
            Self::Apply => include_str!("code/apply.c"),
            Self::Scale => include_str!("code/scale.c"),
            Self::Parametric => include_str!("code/parametric.c"),
            Self::Affine => include_str!("code/affine.c"),
            Self::LayerNorm => include_str!("code/layer_norm.c"),
            Self::Elman => include_str!("code/elman.c"),
            Self::Lstm => include_str!("code/lstm.c"),
            Self::Gru => include_str!("code/gru.c"),
            Self::MeanOfSteps => include_str!("code/mean_of_steps.c"),
            Self::Softmax => include_str!("code/softmax.c"),
            Self::LogSoftmax => include_str!("code/log_softmax.c"),
            Self::Softplus => include_str!("code/softplus.c"),
        }
    }
}

/// The helpers that a source uses.
#[derive(Debug, Default)]
pub(super) struct Helpers(BTreeSet<Helper>);

impl Helpers {
    /// Adds a helper and those that it needs.
    pub(super) fn add(&mut self, helper: Helper) {
        self.0.insert(helper);
        for needed in helper.needs() {
            self.add(*needed);
        }
    }

    /// The name of the function of one number that an activation is.
    pub(super) fn activation(&mut self, activation: Activation) -> &'static str {
        let helper = match activation {
            Activation::Tanh => return "tanhf",
            Activation::Relu => Helper::Relu,
            Activation::Sigmoid => Helper::Sigmoid,
            Activation::Gelu => Helper::Gelu,
            Activation::LeakyRelu => Helper::LeakyRelu,
            Activation::Elu => Helper::Elu,
            Activation::Selu => Helper::Selu,
            Activation::Silu => Helper::Silu,
            Activation::Mish => Helper::Mish,
        };
        self.add(helper);
        activation.name()
    }

    /// Their text, for weights of this type; of 8 bits they have scales.
    pub(super) fn text(&self, is_int8: bool) -> String {
        let texts = self.0.iter().map(|helper| match helper {
            Helper::Product if is_int8 => include_str!("code/product_int8.c"),
            Helper::Embed if is_int8 => include_str!("code/embed_int8.c"),
            helper => helper.text(),
        });
        texts.flat_map(|text| [text, "\n"]).collect()
    }
}
