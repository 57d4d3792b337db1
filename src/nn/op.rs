//! Layers described as data: enough to export the network to another tool.

use super::{Activation, CellKind};

/// A layer's operation in evaluation mode, with its sizes and the names of its tensors in the state dict.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `act(x Wᵀ + b)`
    Linear {
        /// (outputs, inputs)
        weight: String,
        /// (outputs)
        bias: String,
        /// The features that are read.
        inputs: usize,
        /// The features that are given.
        outputs: usize,
        /// The activation of the sum.
        activation: Option<Activation>,
    },
    /// `(x − running_mean) / √(running_var + eps) · weight + bias`
    BatchNorm {
        /// (channels)
        weight: String,
        /// (channels)
        bias: String,
        /// (channels)
        running_mean: String,
        /// (channels)
        running_var: String,
        /// A scalar, I64: the batches of the running statistics.
        num_batches_tracked: String,
        /// The features of a row.
        channels: usize,
        /// Added to the variance.
        eps: f64,
        /// The weight of a batch in the running statistics.
        momentum: f64,
    },
    /// `(x − mean) / √(var + eps) · weight + bias` with each row's own biased statistics.
    LayerNorm {
        /// (width)
        weight: String,
        /// (width)
        bias: String,
        /// The features of a row.
        width: usize,
        /// Added to the variance.
        eps: f64,
    },
    /// Some columns become embeddings, in front of the others.
    Numerical {
        /// The columns that are embedded, in order.
        places: Vec<usize>,
        /// The others, in order.
        others: Vec<usize>,
        /// The embedding.
        embedding: NumericalOp,
    },
    /// (N, F) to (N · M, F): each row times the numbers of each of M members.
    EnsembleScale {
        /// (members, width)
        weight: String,
        /// The members.
        members: usize,
        /// The features of a row.
        width: usize,
    },
    /// (N · M, in) to (N, M, out): a linear layer for each member.
    EnsembleLinear {
        /// (members, in, out)
        weight: String,
        /// (members, out)
        bias: String,
        /// Members, inputs and outputs.
        sizes: [usize; 3],
    },
    /// `x · weight`, feature by feature.
    Scale {
        /// (width)
        weight: String,
        /// The features of a row.
        width: usize,
    },
    /// `x + weight (act(x) − x)`, unit by unit.
    ParametricActivation {
        /// (width)
        weight: String,
        /// The features of a row.
        width: usize,
        /// The activation.
        activation: Activation,
    },
    /// An activation of every element.
    Activation(Activation),
    /// The identity in evaluation; in training elements are dropped.
    Dropout {
        /// The probability.
        p: f64,
    },
    /// (N, T, F) to (T, N, F): what follows is time-major.
    TimeMajor,
    /// One layer of an RNN, LSTM or GRU, (T, N, F) to (T, N, H · directions).
    Recurrent {
        /// The cell.
        kind: CellKind,
        /// The number of the layer in its stack, from 0.
        index: usize,
        /// The features of a step.
        features: usize,
        /// The size of the hidden state.
        hidden: usize,
        /// The tensors of the forward direction, then of the backward direction if the layer is bidirectional.
        directions: Vec<CellTensors>,
    },
    /// (T, N, H) to (N, H): the last step.
    LastStep,
    /// (T, N, H) to (N, H): the mean over the steps.
    MeanOfSteps,
    /// The last columns are numbers of names; each is replaced by its row of a table, after the other columns.
    Embeddings {
        /// The columns that stay as they are.
        dense: usize,
        /// The tables in the order of their columns. Row 0 is for unknown names.
        tables: Vec<EmbeddingTable>,
    },
}

impl Op {
    /// The same layer of a network whose tensors have this in front of their names.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        for name in self.tensors_mut() {
            name.insert_str(0, prefix);
        }
        self
    }

    /// The names of its tensors.
    fn tensors_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Linear { weight, bias, .. }
            | Self::LayerNorm { weight, bias, .. }
            | Self::EnsembleLinear { weight, bias, .. } => vec![weight, bias],
            Self::BatchNorm { weight, bias, running_mean, running_var, num_batches_tracked, .. } => {
                vec![weight, bias, running_mean, running_var, num_batches_tracked]
            }
            Self::Numerical { embedding, .. } => embedding.tensors_mut(),
            Self::EnsembleScale { weight, .. }
            | Self::Scale { weight, .. }
            | Self::ParametricActivation { weight, .. } => vec![weight],
            Self::Recurrent { directions, .. } => directions
                .iter_mut()
                .flat_map(|CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }| {
                    [weight_ih, weight_hh, bias_ih, bias_hh]
                })
                .collect(),
            Self::Embeddings { tables, .. } => tables.iter_mut().map(|table| &mut table.weight).collect(),
            Self::Activation(_)
            | Self::Dropout { .. }
            | Self::TimeMajor
            | Self::LastStep
            | Self::MeanOfSteps => Vec::new(),
        }
    }
}

/// An embedding of F features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumericalOp {
    /// `relu(linear(periodic(x)))`, where periodic is cosine and sine of `2π weight x`, or the cosine of `2π weight x + bias`.
    Periodic {
        /// (F, K)
        weight: String,
        /// (F, K)
        bias: Option<String>,
        /// A linear layer for each feature: (F, J, D) and (F, D).
        linear: [String; 2],
        /// F, K and D.
        sizes: [usize; 3],
        /// Whether ReLU follows.
        has_relu: bool,
        /// Whether the features themselves follow all embeddings.
        is_dense: bool,
    },
    /// `linear0(x) + relu(linear(piecewise_linear(x)))`.
    PiecewiseLinear {
        /// A buffer (F, B): one over the widths of the bins.
        slopes: String,
        /// A buffer (F, B).
        offsets: String,
        /// (F, D) both.
        linear0: Option<[String; 2]>,
        /// (F, B, D)
        weight: String,
        /// (F, D)
        bias: Option<String>,
        /// F, B and D.
        sizes: [usize; 3],
        /// Whether ReLU follows.
        has_relu: bool,
    },
}

impl NumericalOp {
    /// The numbers that a feature becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::Periodic { sizes, is_dense, .. } => sizes[2] + usize::from(*is_dense),
            Self::PiecewiseLinear { sizes, .. } => sizes[2],
        }
    }

    /// The names of its tensors.
    fn tensors_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Periodic { weight, bias, linear, .. } => {
                std::iter::once(weight).chain(bias).chain(linear).collect()
            }
            Self::PiecewiseLinear { slopes, offsets, linear0, weight, bias, .. } => [slopes, offsets, weight]
                .into_iter()
                .chain(linear0.iter_mut().flatten())
                .chain(bias)
                .collect(),
        }
    }
}

/// The tensors of a recurrent layer in one direction; `G` is the number of the cell's gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellTensors {
    /// (G · H, F)
    pub weight_ih: String,
    /// (G · H, H)
    pub weight_hh: String,
    /// (G · H)
    pub bias_ih: String,
    /// (G · H)
    pub bias_hh: String,
}

/// A table of learnt vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingTable {
    /// (names, length)
    pub weight: String,
    /// The rows.
    pub names: usize,
    /// The length of a vector.
    pub length: usize,
}
