//! Adafactor, which keeps two vectors of state per matrix: Shazeer and Stern 2018,
//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html>.

use std::borrow::Cow;

use candle_core::{D, DType, Tensor, Var};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Common, Hyperparameters, Slot, SlotShape, StepContext, UpdateRule, check_non_negative};
use crate::error::Result;
use crate::kernels::norm::sum_of_squares;
use crate::kernels::update::{Descend, GradTransform, gradient, update};
use crate::registry::KeyError;

/// Divides the gradient by the root of a running mean of its squares, which for a matrix is factored into the means of
/// rows and columns. The step is relative to the weights' root mean square and clipped at d.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adafactor {
    /// The learning rate, relative to the root mean square of the weights.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// The running mean's decay rate at step t is `1 - t^beta2_decay`.
    #[schemars(range(max = 0))]
    pub beta2_decay: f64,
    /// Lower bounds of the gradient's and of the weights' root mean square.
    #[schemars(transform = second_not_negative)]
    pub eps: (Floor, f64),
    /// Clipping threshold d: the largest root mean square of an update before the learning rate.
    #[schemars(range(min = 1))]
    pub d: f64,
    /// Decoupled weight decay: each update first multiplies the weight by `1 - lr · weight_decay`.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

/// A lower bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// The machine epsilon of the dtype: `None` in torch, "none" in TOML.
    Precision,
    /// A fixed value.
    Number(f64),
}

impl JsonSchema for Floor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Floor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "const": "none" }] })
    }
}

fn second_not_negative(eps: &mut Schema) {
    if let Some(Value::Object(second)) = eps.pointer_mut("/prefixItems/1") {
        second.insert("minimum".to_owned(), 0.into());
    }
}

impl<'de> Deserialize<'de> for Floor {
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) if word == "none" => Ok(Self::Precision),
            toml::Value::Float(number) => Ok(Self::Number(number)),
            toml::Value::Integer(number) => Ok(Self::Number(number as f64)),
            other => Err(D::Error::custom(format!("is {other}; it must be a number like 1e-8, or \"none\""))),
        }
    }
}

impl Serialize for Floor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Precision => "none".serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

impl Default for Adafactor {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            beta2_decay: -0.8,
            eps: (Floor::Precision, 1e-3),
            d: 1.0,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

/// `slot ← slot + (new - slot) · weight`; returns the new value.
fn lerp(slot: &Var, new: &Tensor, weight: f64) -> Result<Tensor> {
    let old = slot.as_detached_tensor();
    let value = (&old + ((new - &old)? * weight)?)?;
    slot.set(&value)?;
    Ok(value)
}

#[allow(clippy::cast_precision_loss, reason = "a count of numbers")]
fn root_mean_square(of: &Tensor) -> Result<f64> {
    Ok((sum_of_squares(&[of])? / of.elem_count() as f64).sqrt())
}

impl Adafactor {
    /// Updates the running mean of the squared gradient and returns it.
    fn squares(grad: &Tensor, slots: &[Var], weight: f64, least: f64) -> Result<Tensor> {
        let squares = grad.sqr()?;
        match slots {
            [rows, cols] => {
                let rows = lerp(rows, &squares.mean_keepdim(D::Minus1)?, weight)?;
                let cols = lerp(cols, &squares.mean_keepdim(D::Minus2)?, weight)?;
                let mean = rows.mean_keepdim(D::Minus2)?.maximum(least)?;
                Ok(rows.matmul(&cols)?.broadcast_div(&mean)?)
            }
            [variance] => lerp(variance, &squares, weight),
            _ => Err(candle_core::Error::Msg("adafactor has one or two slots".to_owned()).into()),
        }
    }
}

impl Hyperparameters for Adafactor {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: true, maximize: self.maximize }
    }

    fn scales_with_lr(&self) -> bool {
        false
    }

    fn slots(&self, dims: &[usize]) -> Vec<Slot> {
        if dims.len() < 2 {
            return vec![Slot::zero("variance")];
        }
        let slot = |name, shape| Slot { shape, ..Slot::zero(name) };
        vec![slot("row_var", SlotShape::Rows), slot("col_var", SlotShape::Cols)]
    }

    fn check(&self) -> Result<(), KeyError> {
        if !self.beta2_decay.is_finite() || self.beta2_decay > 0.0 {
            let problem = format!("is {}; it must be a finite number, 0 or less", self.beta2_decay);
            return Err(KeyError::new("beta2_decay", problem));
        }
        if !self.d.is_finite() || self.d < 1.0 {
            return Err(KeyError::new("d", format!("is {}; it must be a finite number, 1 or more", self.d)));
        }
        let least = if let Floor::Number(least) = self.eps.0 { least } else { 0.0 };
        check_non_negative(&[("eps[0]", least), ("eps[1]", self.eps.1)])
    }
}

impl UpdateRule for Adafactor {
    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        let least = match (self.eps.0, param.dtype()) {
            (Floor::Number(least), _) => least,
            (Floor::Precision, DType::F64) => f64::EPSILON,
            (Floor::Precision, DType::BF16) => 1.0 / 128.0,
            (Floor::Precision, _) => f64::from(f32::EPSILON),
        };
        let alpha = root_mean_square(param.as_tensor())?.max(self.eps.1) * at.lr.min(1.0 / at.count().sqrt());
        let grad = gradient(transform, param, grad)?;
        let squares = Self::squares(&grad, slots, at.count().powf(self.beta2_decay), least)?;
        let direction = (grad / squares.maximum(least * least)?.sqrt()?)?;
        let limit = (root_mean_square(&direction)? / self.d).max(1.0);
        let decay = GradTransform { keep: transform.keep, ..GradTransform::NONE };
        Ok(update(&Descend(alpha / limit), &decay, param, &direction, &[])?)
    }
}
