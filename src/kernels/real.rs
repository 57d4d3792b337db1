//! The arithmetic in which formulas are written once: over `f32` and `f64` they become a fused loop, over tensors
//! they become the reference implementation of that loop.

use super::elementary;
use std::ops::{Add, Div, Mul, Neg, RangeInclusive, Sub};

/// A real number, or a tensor of them.
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// `self · by`
    fn scale(self, by: f64) -> Self;
    /// `self + by`
    fn shift(self, by: f64) -> Self;
    /// The square root.
    fn root(self) -> Self;
    /// `e^self`
    fn exponential(self) -> Self;
    /// The natural logarithm.
    fn logarithm(self) -> Self;
    /// `ln(1 + self)`, exact for small numbers.
    fn log_of_one_plus(self) -> Self;
    /// The hyperbolic tangent.
    fn hyperbolic_tangent(self) -> Self;
    /// The error function.
    fn error_function(self) -> Self;
    /// The absolute value.
    fn magnitude(self) -> Self;
    /// The larger of the two.
    fn larger(self, other: Self) -> Self;
    /// This number in place of every element.
    fn constant(self, value: f64) -> Self;
    /// `then` where `self > 0`, else `otherwise`.
    fn if_positive(self, then: Self, otherwise: Self) -> Self;

    /// `then` where the condition is met, else `otherwise`. A condition that changes while training goes on is asked here
    /// instead of by `if`: a recording has both ways, so that the kernel stays the same.
    #[inline(always)]
    fn when(condition: bool, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        if condition { then() } else { otherwise() }
    }

    /// `1 / (1 + e^-self)`
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let one = self.constant(1.0);
        one / (one + (-self).exponential())
    }

    /// 1, 0 or -1, by the sign.
    #[inline(always)]
    fn sign(self) -> Self {
        let (zero, one) = (self.constant(0.0), self.constant(1.0));
        self.if_positive(one, (-self).if_positive(-one, zero))
    }

    /// Limits the value to `[-bound, bound]`.
    #[inline(always)]
    fn clamp_to(self, bound: f64) -> Self {
        let low = self.constant(-bound);
        // min(x, bound) is -max(-x, -bound).
        -(-self.larger(low)).larger(low)
    }
}

/// One element of a parameter after a step.
#[derive(Debug, Clone, Copy)]
pub struct Updated<R, const S: usize> {
    /// Its value.
    pub param: R,
    /// Its state.
    pub slots: [R; S],
}

/// An optimizer's formula for one element of a parameter.
pub trait PerElement: Sync {
    /// The name of its kernel for GPUs.
    const NAME: &'static str;
    /// The numbers of slots that a parameter may have, three at most: loops are compiled for these alone.
    const SLOTS: RangeInclusive<usize>;

    /// The new value and slots of a parameter from its value `p`, its gradient `g` and its slots.
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, slots: [R; S]) -> Updated<R, S>;
}

macro_rules! real {
    ($float:ty, $exp:path, $tanh:path, $erf:path $(, $own:item)*) => {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "constants round to the kernel's type, as torch's scalars do"
        )]
        impl Real for $float {
            #[inline(always)]
            fn scale(self, by: f64) -> Self {
                self * by as $float
            }
            #[inline(always)]
            fn shift(self, by: f64) -> Self {
                self + by as $float
            }
            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }
            $($own)*
            #[inline(always)]
            fn exponential(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn logarithm(self) -> Self {
                self.ln()
            }
            #[inline(always)]
            fn log_of_one_plus(self) -> Self {
                self.ln_1p()
            }
            #[inline(always)]
            fn hyperbolic_tangent(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn error_function(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn larger(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn constant(self, value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn if_positive(self, then: Self, otherwise: Self) -> Self {
                if self > 0.0 { then } else { otherwise }
            }
        }
    };
}
real!(
    f32,
    elementary::exp,
    elementary::tanh,
    libm::erff,
    #[inline(always)]
    fn sigmoid(self) -> Self {
        elementary::sigmoid(self)
    }
);
real!(f64, f64::exp, f64::tanh, libm::erf);
