//! [`Real`] over tensors: runs a per-element formula as tensor operations, on any device.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use candle_core::{Result, Tensor};

use super::real::Real;

/// Holds the tensors of one formula, and the first error in it.
#[derive(Default)]
pub(super) struct FormulaTensors {
    tensors: RefCell<Vec<Tensor>>,
    error: RefCell<Option<candle_core::Error>>,
}

/// A tensor of a [`FormulaTensors`]; it is `Copy`, as the numbers that it represents are.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    formula: &'a FormulaTensors,
    index: usize,
}

impl FormulaTensors {
    /// Brings a tensor into the formula.
    pub(super) fn node(&self, tensor: Tensor) -> Node<'_> {
        let mut tensors = self.tensors.borrow_mut();
        tensors.push(tensor);
        Node { formula: self, index: tensors.len() - 1 }
    }

    /// The tensor of `node`, or the first error of the formula.
    pub(super) fn value(&self, node: Node<'_>) -> Result<Tensor> {
        match self.error.borrow_mut().take() {
            Some(error) => Err(error),
            None => Ok(node.tensor()),
        }
    }
}

impl Node<'_> {
    fn tensor(self) -> Tensor {
        self.formula.tensors.borrow()[self.index].clone()
    }

    fn then(self, f: impl FnOnce(Tensor) -> Result<Tensor>) -> Self {
        match f(self.tensor()) {
            Ok(tensor) => self.formula.node(tensor),
            Err(error) => {
                self.formula.error.borrow_mut().get_or_insert(error);
                self
            }
        }
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for Node<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.then(|x| x.$method(other.tensor()))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for Node<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.then(|x| x.neg())
    }
}

impl Real for Node<'_> {
    fn scale(self, by: f64) -> Self {
        self.then(|x| x * by)
    }
    fn shift(self, by: f64) -> Self {
        self.then(|x| x + by)
    }
    fn root(self) -> Self {
        self.then(|x| x.sqrt())
    }
    fn exponential(self) -> Self {
        self.then(|x| x.exp())
    }
    fn logarithm(self) -> Self {
        self.then(|x| x.log())
    }
    fn log_of_one_plus(self) -> Self {
        self.then(|x| (x + 1.0)?.log())
    }
    fn hyperbolic_tangent(self) -> Self {
        self.then(|x| x.tanh())
    }
    fn error_function(self) -> Self {
        self.then(|x| x.erf())
    }
    fn magnitude(self) -> Self {
        self.then(|x| x.abs())
    }
    fn larger(self, other: Self) -> Self {
        self.then(|x| x.maximum(&other.tensor()))
    }
    fn constant(self, value: f64) -> Self {
        self.then(|x| x.ones_like()? * value)
    }
    fn if_positive(self, then: Self, otherwise: Self) -> Self {
        self.then(|x| x.gt(0.0)?.where_cond(&then.tensor(), &otherwise.tensor()))
    }
}
