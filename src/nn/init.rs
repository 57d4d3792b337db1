//! Initialisers: those of torch.nn.init, with their names, options and defaults.
//! <https://docs.pytorch.org/docs/stable/nn.init.html>

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::registry::{self, FromTable, schema};
use crate::stats::real;

/// Declares the options of an initialiser with their defaults.
macro_rules! scheme {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* pub $field: $type),* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }
    };
}

mod draws;
mod fans;
mod gain;
mod initializer;
mod schemes;

pub use fans::{KaimingNormal, KaimingUniform, XavierNormal, XavierUniform};
pub use gain::{Fan, Nonlinearity};
pub use initializer::{Initializer, ParamShape};
pub use schemes::{Constant, Normal, Ones, Orthogonal, TruncNormal, Uniform, Zeros};

crate::registry! {
    /// The known initialisers, by name.
    pub enum Init: "initialiser", Initializer {
        "uniform" => Uniform(Uniform),
        "normal" => Normal(Normal),
        "trunc_normal" => TruncNormal(TruncNormal),
        "constant" => Constant(Constant),
        "zeros" => Zeros(Zeros),
        "ones" => Ones(Ones),
        "xavier_uniform" => XavierUniform(XavierUniform),
        "xavier_normal" => XavierNormal(XavierNormal),
        "kaiming_uniform" => KaimingUniform(KaimingUniform),
        "kaiming_normal" => KaimingNormal(KaimingNormal),
        "orthogonal" => Orthogonal(Orthogonal),
    }
}

impl Init {
    /// The initialiser of this name with its defaults.
    pub fn named(name: &str) -> Result<Self, registry::KeyError> {
        let mut table = toml::Table::new();
        table.insert("name".to_owned(), name.into());
        Self::from_table(table)
    }

    /// U(-bound, bound): what torch's layers draw by default.
    pub fn within(bound: f64) -> Self {
        Self::Uniform(Uniform { a: -bound, b: bound })
    }
}

/// The initialisers of a layer's parameters; torch's defaults where left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct LayerInit<'a> {
    /// The weights'.
    pub weight: Option<&'a Init>,
    /// The biases'.
    pub bias: Option<&'a Init>,
    /// The weights as the optimizer sees them.
    pub parametrization: Parametrization,
}

/// The weights of a linear layer as the optimizer sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parametrization {
    /// The weights, as in PyTorch.
    #[default]
    Standard,
    /// The weights times √fan-in, which start as N(0, 1); biases start at 0: Jacot et al. 2018, <https://arxiv.org/abs/1806.07572>.
    Ntk,
}

impl Parametrization {
    /// The initialisers of weights and biases of a linear layer of so many inputs, where none are given.
    pub(super) fn defaults(self, inputs: usize) -> [Init; 2] {
        let bound = 1.0 / real(inputs).sqrt();
        match self {
            Self::Standard => [Init::within(bound), Init::within(bound)],
            Self::Ntk => [Init::Normal(Normal { mean: 0.0, std: bound }), Init::Zeros(Zeros {})],
        }
    }

    /// The gain of the weights of such a layer.
    pub(super) fn gain(self, inputs: usize) -> f64 {
        match self {
            Self::Standard => 1.0,
            Self::Ntk => real(inputs).sqrt(),
        }
    }
}

impl<'de> Deserialize<'de> for Init {
    /// A name, or a table of name and options.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(name) => Self::named(&name),
            toml::Value::Table(table) => Self::from_table(table),
            other => {
                let problem = format!("is {other}; expected a name in quotes, or a table with `name`");
                return Err(D::Error::custom(problem));
            }
        };
        read.map_err(|error| registry::inside(&error))
    }
}

/// `[model.init]`; PyTorch's defaults where left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitScheme {
    /// The weights of all layers but the last; of a recurrent model the recurrent layers'.
    #[schemars(schema_with = "name_or_options")]
    pub hidden: Option<Init>,
    /// The weights of the last layer.
    #[schemars(schema_with = "name_or_options")]
    pub output: Option<Init>,
    /// All biases.
    #[schemars(schema_with = "name_or_options_of_vectors")]
    pub bias: Option<Init>,
    /// The vectors of names, of columns that have embeddings; default: `normal` with `std = 0.1`.
    #[schemars(schema_with = "name_or_options")]
    pub embedding: Option<Init>,
}

/// A name, or a table of name and options.
fn name_or_options(generator: &mut SchemaGenerator) -> Schema {
    let options = generator.subschema_for::<Init>();
    json_schema!({ "anyOf": [{ "type": "string", "enum": Init::NAMES }, options] })
}

/// The same, of the initialisers that a bias can have.
fn name_or_options_of_vectors(generator: &mut SchemaGenerator) -> Schema {
    let fits = |name: &str| Init::named(name).is_ok_and(|init| init.fits_vectors());
    let names: Vec<&str> = Init::NAMES.iter().copied().filter(|name| fits(name)).collect();
    let entries: Vec<Schema> =
        Init::schemas(generator).into_iter().filter(|entry| fits(schema::name_of(entry))).collect();
    json_schema!({ "anyOf": [{ "type": "string", "enum": names }, schema::by_name(&entries)] })
}

impl InitScheme {
    /// The initialisers of every layer but the last.
    pub fn of_hidden(&self) -> LayerInit<'_> {
        LayerInit { weight: self.hidden.as_ref(), bias: self.bias.as_ref(), ..LayerInit::default() }
    }

    /// The last layer's initialisers.
    pub fn of_output(&self) -> LayerInit<'_> {
        LayerInit { weight: self.output.as_ref(), bias: self.bias.as_ref(), ..LayerInit::default() }
    }

    /// Rejects initialisers that need two dimensions for a bias, which has one.
    pub fn check(&self) -> Result<(), registry::KeyError> {
        for (key, init) in [
            ("hidden", &self.hidden),
            ("output", &self.output),
            ("bias", &self.bias),
            ("embedding", &self.embedding),
        ] {
            if let Some(init) = init {
                init.check().map_err(|e| e.under(key))?;
            }
        }
        match &self.bias {
            Some(init) if !init.fits_vectors() => Err(registry::KeyError::new(
                "bias",
                format!(
                    "is `{}`, which needs a matrix, and a bias is a vector; take `zeros`, `constant` or `uniform`",
                    init.name()
                ),
            )),
            _ => Ok(()),
        }
    }
}
