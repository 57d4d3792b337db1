//! The multi-layer perceptron: Linear, BatchNorm1d or `LayerNorm`, activation, Dropout for each hidden layer, and a
//! Linear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Build, MOST_UNITS, check_matrices, check_probability, check_width};
use crate::data::InputKind;
use crate::error::Result;
use crate::nn::{
    Activate, Activation, BatchNorm1d, Dropout, EnsembleLinear, EnsembleScale, FrontScale, InitScheme, Layer,
    LayerInit, LayerNorm, Linear, MOST_NUMBERS, Numerical, ParametricActivation, Parametrization, Params,
    ScalingInit, Shape,
};
use crate::registry::KeyError;

/// The most hidden layers.
const MOST_HIDDEN: usize = 1000;

/// The most members of an ensemble.
const MOST_MEMBERS: usize = 1024;

/// The word for `layer_names` that names the layers as `torch.nn.Sequential` does.
const SEQUENTIAL: &str = "sequential";

/// Options of the MLP. Its state dict has `layer1.weight`, `bn1.weight` or `ln1.weight` and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct Mlp {
    /// The widths of the hidden layers; empty: one linear layer.
    #[schemars(length(max = MOST_HIDDEN), inner(range(min = 1, max = MOST_UNITS)))]
    pub hidden: Vec<usize>,
    /// The activation after each hidden layer.
    pub activation: Activation,
    /// Whether each unit learns how much of the activation it takes: `x + a (act(x) - x)`, from a = 1. Its tensors are
    /// `act1.weight`, …
    pub parametric_activation: bool,
    /// A learnt factor for each input of the first layer, `scale.weight`, from 1; the vectors of names are inputs too.
    pub front_scale: bool,
    /// The members of a `TabM`-mini, which share all but a scale of their inputs, `ensemble.weight`, and the last layer: the
    /// mean of their losses is trained, and their predictions are averaged.
    #[schemars(range(min = 1, max = MOST_MEMBERS))]
    pub ensemble: Option<usize>,
    /// "ntk": the optimizer sees each weight times √fan-in, so that a tensor's learning rate is that of its group over
    /// √fan-in; weights start as N(0, 1/fan-in), biases at 0.
    pub parametrization: Parametrization,
    /// BatchNorm1d between each hidden Linear and its activation.
    pub batch_norm: bool,
    /// `LayerNorm` between each hidden Linear and its activation.
    pub layer_norm: bool,
    /// The probability of Dropout after each hidden activation.
    #[schemars(range(min = 0, max = 1))]
    pub dropout: f64,
    /// The prefix of the Linear layers' names: `layer` gives `layer1`, `layer2`, …; "sequential" names all layers by their
    /// places in a `torch.nn.Sequential`: `0`, `2`, …
    #[schemars(pattern("^[A-Za-z0-9_]+$"))]
    pub layer_names: String,
    /// Embeddings of numerical features: `[model.numerical]`.
    pub numerical: Option<Numerical>,
    /// Initialisers; PyTorch's defaults where left out.
    pub init: InitScheme,
}

impl Default for Mlp {
    fn default() -> Self {
        Self {
            hidden: vec![128],
            activation: Activation::Relu,
            parametric_activation: false,
            front_scale: false,
            ensemble: None,
            parametrization: Parametrization::Standard,
            batch_norm: false,
            layer_norm: false,
            dropout: 0.0,
            layer_names: "layer".to_owned(),
            numerical: None,
            init: InitScheme::default(),
        }
    }
}

impl Build for Mlp {
    fn input(&self) -> InputKind {
        InputKind::Features
    }

    fn widest(&self) -> usize {
        MOST_NUMBERS / self.hidden.first().copied().unwrap_or(1).max(1)
    }

    fn check(&self) -> Result<(), KeyError> {
        if self.hidden.len() > MOST_HIDDEN {
            let problem = format!("has {} layers; {MOST_HIDDEN} are the most", self.hidden.len());
            return Err(KeyError::new("hidden", problem));
        }
        for (index, width) in self.hidden.iter().enumerate() {
            check_width(&format!("hidden[{index}]"), *width)?;
        }
        check_probability("dropout", self.dropout)?;
        let name = &self.layer_names;
        if name.is_empty() || name.chars().any(|c| !c.is_ascii_alphanumeric() && c != '_') {
            let problem = "must contain only letters, digits and _";
            return Err(KeyError::new("layer_names", problem));
        }
        if self.batch_norm && self.layer_norm {
            return Err(KeyError::new("layer_norm", "cannot be used with `batch_norm`; choose one"));
        }
        self.check_parts()?;
        for (taken, by, used) in [
            ("bn", "batch_norm", self.batch_norm),
            ("ln", "layer_norm", self.layer_norm),
            ("act", "parametric_activation", self.parametric_activation),
        ] {
            if used && name == taken {
                let problem =
                    format!("is `{taken}`, which clashes with the names of the {by} layers; choose another");
                return Err(KeyError::new("layer_names", problem));
            }
        }
        self.init.check().map_err(|e| e.under("init"))
    }

    fn check_size(&self, inputs: usize, outputs: usize) -> Result<(), KeyError> {
        let widths: Vec<usize> =
            std::iter::once(inputs).chain(self.hidden.iter().copied()).chain([outputs]).collect();
        check_matrices("hidden", widths.windows(2).map(|pair| [pair[0], pair[1]]))
    }

    fn numerical(&self) -> Option<&Numerical> {
        self.numerical.as_ref()
    }

    fn members(&self) -> Option<usize> {
        self.ensemble
    }

    fn init(&self) -> &InitScheme {
        &self.init
    }

    fn build(&self, input: &Shape, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>> {
        self.build_columns(input, &vec![1; input.width()], outputs, params)
    }

    fn build_columns(
        &self,
        input: &Shape,
        columns: &[usize],
        outputs: usize,
        params: &mut Params,
    ) -> Result<Vec<Box<dyn Layer>>> {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        let mut inputs = input.width();
        if self.front_scale {
            layers.push(Box::new(FrontScale::new(params, "scale", inputs)?));
        }
        if let Some(members) = self.ensemble {
            let start = if self.numerical.is_some() { ScalingInit::Normal } else { ScalingInit::RandomSigns };
            layers.push(Box::new(EnsembleScale::new(params, members, columns, start)?));
        }
        let mut names = LayerNames { is_sequential: self.layer_names == SEQUENTIAL, place: 0 };
        for (number, &width) in (1..).zip(&self.hidden) {
            self.hidden_layers(LayerSizes { number, inputs, width }, &mut names, params, &mut layers)?;
            inputs = width;
        }
        let name = names.of(&self.layer_names, self.hidden.len() + 1);
        let init = LayerInit { parametrization: self.parametrization, ..self.init.of_output() };
        layers.push(match self.ensemble {
            Some(members) => Box::new(EnsembleLinear::new(params, &name, [members, inputs, outputs], init)?),
            None => Box::new(Linear::new(params, &name, inputs, outputs, init, None)?),
        });
        Ok(layers)
    }

    fn couples_rows(&self) -> bool {
        self.batch_norm && !self.hidden.is_empty()
    }

    fn check_embeddings(&self) -> Result<(), KeyError> {
        if self.layer_names != SEQUENTIAL {
            return Ok(());
        }
        let problem = "is \"sequential\", but some columns of names have learnt vectors, and a `torch.nn.Sequential` has no \
                       layer that reads a part of a row: take another prefix, as \"layer\", or make these columns \
                       \"onehot\" or \"ignore\" in `[data.columns]`";
        Err(KeyError::new("layer_names", problem))
    }
}

/// The number and the sizes of a hidden layer.
struct LayerSizes {
    number: usize,
    inputs: usize,
    width: usize,
}

impl Mlp {
    /// Adds the layers of one hidden layer.
    fn hidden_layers(
        &self,
        LayerSizes { number, inputs, width }: LayerSizes,
        names: &mut LayerNames,
        params: &mut Params,
        layers: &mut Vec<Box<dyn Layer>>,
    ) -> Result<()> {
        let name = names.of(&self.layer_names, number);
        let is_apart = self.batch_norm || self.layer_norm || self.parametric_activation;
        let init = LayerInit { parametrization: self.parametrization, ..self.init.of_hidden() };
        let fused = (!is_apart).then_some(self.activation);
        layers.push(Box::new(Linear::new(params, &name, inputs, width, init, fused)?));
        if self.batch_norm {
            let act = (!self.parametric_activation).then_some(self.activation);
            layers.push(Box::new(BatchNorm1d::new(params, &names.of("bn", number), width, act)?));
        }
        if self.layer_norm {
            layers.push(Box::new(LayerNorm::new(params, &names.of("ln", number), width)?));
        }
        if self.parametric_activation {
            let name = format!("act{number}");
            layers.push(Box::new(ParametricActivation::new(params, &name, width, self.activation)?));
        } else if self.layer_norm {
            layers.push(Box::new(Activate(self.activation)));
        }
        names.skip();
        if self.dropout > 0.0 {
            layers.push(Box::new(Dropout { p: self.dropout }));
            names.skip();
        }
        Ok(())
    }

    /// Validates the options that only some networks have.
    fn check_parts(&self) -> Result<(), KeyError> {
        let parts = [
            ("front_scale", self.front_scale),
            ("parametric_activation", self.parametric_activation),
            ("numerical", self.numerical.is_some()),
            ("ensemble", self.ensemble.is_some()),
        ];
        if let Some((key, _)) = parts.iter().find(|(_, used)| *used && self.layer_names == SEQUENTIAL) {
            let problem = "is set, and `layer_names` is \"sequential\", but torch.nn has no such layer; take another prefix, as \
                           \"layer\"";
            return Err(KeyError::new(*key, problem));
        }
        if let Some(numerical) = &self.numerical {
            numerical.check().map_err(|e| e.under("numerical"))?;
        }
        let Some(members) = self.ensemble else { return Ok(()) };
        if !(1..=MOST_MEMBERS).contains(&members) {
            return Err(KeyError::new("ensemble", format!("is {members}; take 1 to {MOST_MEMBERS} members")));
        }
        match &self.init.output {
            Some(init) if !init.fits_vectors() => Err(KeyError::new(
                "init.output",
                format!(
                    "is `{}`, which needs one matrix, and each of the members of `ensemble` has its own; take `zeros`, `normal` or \
                     `uniform`",
                    init.name()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// The names of the layers, in their order.
struct LayerNames {
    /// Whether a name is the layer's place among all modules, those without parameters counted, as in
    /// `torch.nn.Sequential`.
    is_sequential: bool,
    place: usize,
}

impl LayerNames {
    /// The name of the next layer, the one of this number with this prefix.
    fn of(&mut self, prefix: &str, number: usize) -> String {
        self.place += 1;
        if self.is_sequential { (self.place - 1).to_string() } else { format!("{prefix}{number}") }
    }

    /// Counts a layer without parameters.
    fn skip(&mut self) {
        self.place += 1;
    }
}
