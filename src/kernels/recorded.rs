//! [`Real`] as a recording: the CUDA kernel of a per-element formula is written from it, and its constants are numbered
//! in the order in which the formula meets them.
//!
//! `cuda/rules.cuh` has the kernels of all formulas that optimizers have. At run time a formula is recorded again: for
//! the name of its kernel, which is a hash of the operations, and for the constants' values.

use std::cell::RefCell;
use std::fmt::Write;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::real::{PerElement, Real, Updated};

/// An operation on the results of earlier ones, which are known by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordedOperation {
    /// Input 0 is the weight, 1 the gradient, the slots follow.
    Input(usize),
    Constant(usize),
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
    Div(usize, usize),
    Larger(usize, usize),
    /// A function of `cuda/common.cuh`.
    Call(Function, usize),
    /// By the sign of the first.
    IfPositive(usize, usize, usize),
    /// By a constant of 1 or 0.
    When(usize, usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Neg,
    Root,
    Exp,
    Log,
    Log1p,
    Tanh,
    Erf,
    Abs,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Root => "root",
            Self::Exp => "exponential",
            Self::Log => "logarithm",
            Self::Log1p => "log_of_one_plus",
            Self::Tanh => "hyperbolic_tangent",
            Self::Erf => "error_function",
            Self::Abs => "magnitude",
        }
    }
}

impl RecordedOperation {
    /// The operation in numbers that no compiler chooses: kernels are named by them.
    fn code(self) -> [usize; 4] {
        match self {
            Self::Input(index) => [0, index, 0, 0],
            Self::Constant(index) => [1, index, 0, 0],
            Self::Add(a, b) => [2, a, b, 0],
            Self::Sub(a, b) => [3, a, b, 0],
            Self::Mul(a, b) => [4, a, b, 0],
            Self::Div(a, b) => [5, a, b, 0],
            Self::Larger(a, b) => [6, a, b, 0],
            Self::Call(function, a) => [7, function as usize, a, 0],
            Self::IfPositive(x, a, b) => [8, x, a, b],
            Self::When(condition, a, b) => [9, condition, a, b],
        }
    }
}

/// A formula that is being recorded.
#[derive(Default)]
struct Recorder {
    operations: RefCell<Vec<RecordedOperation>>,
    constants: RefCell<Vec<f64>>,
}

/// The result of an operation.
#[derive(Clone, Copy)]
struct RecordedValue<'a> {
    recorder: &'a Recorder,
    index: usize,
}

impl Recorder {
    fn push(&self, operation: RecordedOperation) -> RecordedValue<'_> {
        let mut operations = self.operations.borrow_mut();
        operations.push(operation);
        RecordedValue { recorder: self, index: operations.len() - 1 }
    }

    fn constant(&self, value: f64) -> RecordedValue<'_> {
        let mut constants = self.constants.borrow_mut();
        constants.push(value);
        self.push(RecordedOperation::Constant(constants.len() - 1))
    }
}

impl RecordedValue<'_> {
    fn call(self, function: Function) -> Self {
        self.recorder.push(RecordedOperation::Call(function, self.index))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for RecordedValue<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.recorder.push(RecordedOperation::$trait(self.index, other.index))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for RecordedValue<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.call(Function::Neg)
    }
}

impl Real for RecordedValue<'_> {
    fn scale(self, by: f64) -> Self {
        self * self.constant(by)
    }
    fn shift(self, by: f64) -> Self {
        self + self.constant(by)
    }
    fn root(self) -> Self {
        self.call(Function::Root)
    }
    fn exponential(self) -> Self {
        self.call(Function::Exp)
    }
    fn logarithm(self) -> Self {
        self.call(Function::Log)
    }
    fn log_of_one_plus(self) -> Self {
        self.call(Function::Log1p)
    }
    fn hyperbolic_tangent(self) -> Self {
        self.call(Function::Tanh)
    }
    fn error_function(self) -> Self {
        self.call(Function::Erf)
    }
    fn magnitude(self) -> Self {
        self.call(Function::Abs)
    }
    fn larger(self, other: Self) -> Self {
        self.recorder.push(RecordedOperation::Larger(self.index, other.index))
    }
    fn constant(self, value: f64) -> Self {
        self.recorder.constant(value)
    }
    fn if_positive(self, then: Self, otherwise: Self) -> Self {
        self.recorder.push(RecordedOperation::IfPositive(self.index, then.index, otherwise.index))
    }
    /// Both ways are recorded, so that one kernel serves both.
    fn when(condition: bool, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        let (then, otherwise) = (then(), otherwise());
        let condition = then.constant(f64::from(u8::from(condition)));
        then.recorder.push(RecordedOperation::When(condition.index, then.index, otherwise.index))
    }
}

/// A formula as it is for parameters with a number of slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The formula's name.
    name: &'static str,
    operations: Vec<RecordedOperation>,
    /// The results that are the new weight and slots.
    results: Vec<usize>,
    /// The values of its constants.
    pub constants: Vec<f64>,
}

impl Recording {
    /// Records a formula for parameters with `S` slots.
    pub fn of<P: PerElement, const S: usize>(formula: &P) -> Self {
        let recorder = Recorder::default();
        let (param, grad) =
            (recorder.push(RecordedOperation::Input(0)), recorder.push(RecordedOperation::Input(1)));
        let slots = std::array::from_fn(|slot| recorder.push(RecordedOperation::Input(2 + slot)));
        let Updated::<_, S> { param, slots } = formula.apply(param, grad, slots);
        let results = std::iter::once(param).chain(slots).map(|value| value.index).collect();
        Self {
            name: P::NAME,
            results,
            operations: recorder.operations.into_inner(),
            constants: recorder.constants.into_inner(),
        }
    }

    /// The name of its kernel: the formula's, and a hash (FNV-1a) of what it does.
    pub fn kernel(&self) -> String {
        let codes = self.operations.iter().flat_map(|operation| operation.code());
        let hash = codes.chain(self.results.iter().copied()).fold(0x811c_9dc5_u32, |hash, number| {
            (hash ^ u32::try_from(number).unwrap_or(u32::MAX)).wrapping_mul(0x0100_0193)
        });
        format!("update_{}_{hash:08x}", self.name)
    }

    /// The kernel in CUDA C++, as a line of `cuda/rules.cuh`.
    pub fn source(&self) -> String {
        let mut body = String::new();
        for (index, operation) in self.operations.iter().enumerate() {
            if let Some(expression) = self.expression(*operation) {
                let _ = write!(body, "\n    const REAL v{index} = {expression};");
            }
        }
        // What is given back as it came is not written, or first copied: another result may take its place.
        let mut copies = String::new();
        let mut results = String::new();
        for (place, result) in self.results.iter().enumerate() {
            let place = if place == 0 { 0 } else { place + 1 };
            match self.operations[*result] {
                RecordedOperation::Input(input) if input == place => {}
                RecordedOperation::Input(_) => {
                    let _ = write!(copies, "\n    const REAL r{place} = {};", self.value(*result));
                    let _ = write!(results, "\n    {} = r{place};", input(place));
                }
                _ => {
                    let _ = write!(results, "\n    {} = {};", input(place), self.value(*result));
                }
            }
        }
        format!("RULE({}, {},{body}{copies}{results}\n)\n", self.kernel(), self.results.len() - 1)
    }

    /// A kernel's expression for the result of an operation.
    fn value(&self, index: usize) -> String {
        match self.operations[index] {
            RecordedOperation::Input(input) => self::input(input),
            RecordedOperation::Constant(constant) => format!("REAL(c[{constant}])"),
            _ => format!("v{index}"),
        }
    }

    /// The right side of an operation that is a statement of its own.
    fn expression(&self, operation: RecordedOperation) -> Option<String> {
        let value = |index| self.value(index);
        let infix = |sign, a, b| Some(format!("{} {sign} {}", value(a), value(b)));
        match operation {
            RecordedOperation::Input(_) | RecordedOperation::Constant(_) => None,
            RecordedOperation::Add(a, b) => infix('+', a, b),
            RecordedOperation::Sub(a, b) => infix('-', a, b),
            RecordedOperation::Mul(a, b) => infix('*', a, b),
            RecordedOperation::Div(a, b) => infix('/', a, b),
            RecordedOperation::Larger(a, b) => Some(format!("larger({}, {})", value(a), value(b))),
            RecordedOperation::Call(function, a) => Some(format!("{}({})", function.name(), value(a))),
            RecordedOperation::IfPositive(x, a, b) => {
                Some(format!("{} > REAL(0) ? {} : {}", value(x), value(a), value(b)))
            }
            RecordedOperation::When(condition, a, b) => {
                Some(format!("{} != REAL(0) ? {} : {}", value(condition), value(a), value(b)))
            }
        }
    }
}

/// A kernel's name of an input.
fn input(index: usize) -> String {
    match index {
        0 => "p".to_owned(),
        1 => "g".to_owned(),
        slot => format!("s[{}]", slot - 2),
    }
}
