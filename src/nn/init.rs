//! Initialisers: those of torch.nn.init, with their names, options and defaults.
//! <https://docs.pytorch.org/docs/stable/nn.init.html>

use candle_core::{Tensor, bail};
use rand::Rng;
use rand_distr::StandardNormal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Result;
use crate::registry::{self, FromTable, schema};
use crate::rng::Stream;

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

mod fans;
mod gain;
mod schemes;

pub use fans::{KaimingNormal, KaimingUniform, XavierNormal, XavierUniform};
pub use gain::{Fan, Nonlinearity};
pub use schemes::{Constant, Normal, Ones, Orthogonal, TruncNormal, Uniform, Zeros};

/// An initialiser.
pub trait Initializer {
    /// The values in row-major order.
    fn draw(&self, shape: &Shape, stream: &mut Stream) -> Result<Vec<f64>>;

    /// Validates the options; an error names the key.
    fn check(&self) -> Result<(), registry::KeyError>;

    /// Whether it can initialise a vector: torch has no fans there.
    fn fits_vectors(&self) -> bool {
        true
    }
}

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
    /// Rejects initialisers that need two dimensions for a bias, which has one.
    pub fn check(&self) -> Result<(), registry::KeyError> {
        for (key, init) in [("hidden", &self.hidden), ("output", &self.output), ("bias", &self.bias)] {
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

/// The shape of a parameter, and its fans as torch counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The first dimension: the outputs of a layer.
    pub rows: usize,
    /// The second dimension: the inputs of a layer; 1 for a vector.
    pub cols: usize,
    /// Whether it has one dimension.
    pub vector: bool,
}

impl Shape {
    /// The shape of a vector or a matrix.
    pub fn of(dims: &[usize]) -> Result<Self> {
        match *dims {
            [rows] => Ok(Self { rows, cols: 1, vector: true }),
            [rows, cols] => Ok(Self { rows, cols, vector: false }),
            _ => Err(candle_core::Error::Msg(format!(
                "a parameter of shape {dims:?}; layers have one or two dimensions"
            ))
            .into()),
        }
    }

    fn count(&self) -> usize {
        self.rows * self.cols
    }

    /// Inputs and outputs of the layer.
    #[allow(clippy::cast_precision_loss, reason = "widths of layers")]
    fn fans(&self) -> Result<(f64, f64)> {
        if self.vector {
            return Err(candle_core::Error::Msg(
                "fan in and fan out need a parameter of two dimensions".to_owned(),
            )
            .into());
        }
        Ok((self.cols as f64, self.rows as f64))
    }
}

fn uniform(count: usize, (low, high): (f64, f64), stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|_| low + (high - low) * stream.random::<f64>()).collect()
}

fn normal(count: usize, (mean, std): (f64, f64), stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|_| mean + std * stream.sample::<f64, _>(StandardNormal)).collect()
}

/// One number of N(0, 1) between `low` and `high`.
fn truncated(low: f64, high: f64, stream: &mut Stream) -> f64 {
    // Where the interval holds a good part of the distribution a number of it soon comes by itself.
    if low <= 0.0 && high >= 0.0 && high - low >= 2.0 {
        loop {
            let x: f64 = stream.sample(StandardNormal);
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
    // Else a uniform number is kept with the density at it over the largest density. Forty deviations further out
    // there is nothing left.
    let peak = 0f64.clamp(low, high);
    let (low, high) = (low.max(peak - 40.0), high.min(peak + 40.0));
    loop {
        let x = low + (high - low) * stream.random::<f64>();
        if stream.random::<f64>() <= (0.5 * (peak * peak - x * x)).exp() {
            return x;
        }
    }
}

/// A (rows, cols) matrix with orthonormal rows or columns, whichever are fewer: Gram-Schmidt on a normal matrix, twice,
/// which keeps it orthogonal to rounding. Saxe et al. 2013.
fn orthogonal(shape: &Shape, stream: &mut Stream) -> Result<Vec<f64>> {
    let (count, length) = (shape.rows.min(shape.cols), shape.rows.max(shape.cols));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut v = normal(length, (0.0, 1.0), stream);
        for _ in 0..2 {
            for b in &basis {
                let along: f64 = v.iter().zip(b).map(|(x, y)| x * y).sum();
                v.iter_mut().zip(b).for_each(|(x, y)| *x -= along * y);
            }
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut v {
            *x /= norm;
        }
        basis.push(v);
    }
    if basis.iter().flatten().any(|x| !x.is_finite()) {
        return (|| bail!("no orthogonal matrix of {} x {}", shape.rows, shape.cols))().map_err(Into::into);
    }
    let flat: Vec<f64> = basis.into_iter().flatten().collect();
    if shape.rows <= shape.cols {
        return Ok(flat);
    }
    let columns = Tensor::from_vec(flat, (count, length), &candle_core::Device::Cpu)?;
    Ok(columns.t()?.contiguous()?.flatten_all()?.to_vec1()?)
}
