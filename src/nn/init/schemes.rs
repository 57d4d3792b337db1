//! The initialisers themselves, one type each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draws::{normal, orthogonal, truncated, uniform};
use super::initializer::{Initializer, ParamShape};
use crate::error::Result;
use crate::registry::KeyError;
use crate::registry::schema::positive;
use crate::rng::Stream;

scheme! {
    /// U(a, b).
    Uniform {
        /// The lower bound.
        a: f64 = 0.0,
        /// The upper bound.
        b: f64 = 1.0,
    }
}

scheme! {
    /// N(mean, std²).
    Normal {
        /// The mean.
        mean: f64 = 0.0,
        /// The standard deviation.
        #[schemars(transform = positive)]
        std: f64 = 1.0,
    }
}

scheme! {
    /// N(mean, std²) between a and b.
    TruncNormal {
        /// The mean of the normal distribution.
        mean: f64 = 0.0,
        /// Its standard deviation.
        #[schemars(transform = positive)]
        std: f64 = 1.0,
        /// The lower bound.
        a: f64 = -2.0,
        /// The upper bound.
        b: f64 = 2.0,
    }
}

scheme! {
    /// One value.
    Constant {
        /// The value.
        val: f64 = 0.0,
    }
}

scheme! {
    /// Zeros.
    Zeros {}
}

scheme! {
    /// Ones.
    Ones {}
}

scheme! {
    /// A matrix with orthonormal rows or columns: Saxe et al. 2013.
    Orthogonal {
        /// A factor.
        gain: f64 = 1.0,
    }
}

pub(super) fn check_finite(options: &[(&str, f64)]) -> Result<(), KeyError> {
    match options.iter().find(|(_, value)| !value.is_finite()) {
        Some((key, value)) => Err(KeyError::new(*key, format!("is {value}; it must be finite"))),
        None => Ok(()),
    }
}

fn check_order(a: f64, b: f64) -> Result<(), KeyError> {
    if a < b { Ok(()) } else { Err(KeyError::new("b", format!("is {b}; it must be greater than `a`, {a}"))) }
}

fn check_spread(std: f64) -> Result<(), KeyError> {
    if std.is_finite() && std > 0.0 {
        return Ok(());
    }
    Err(KeyError::new("std", format!("is {std}; it must be finite and greater than 0")))
}

impl Initializer for Uniform {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("a", self.a), ("b", self.b)])?;
        check_order(self.a, self.b)
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        Ok(uniform(shape.count(), (self.a, self.b), stream))
    }
}

impl Initializer for Normal {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("mean", self.mean)])?;
        check_spread(self.std)
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        Ok(normal(shape.count(), (self.mean, self.std), stream))
    }
}

impl Initializer for TruncNormal {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("mean", self.mean), ("a", self.a), ("b", self.b)])?;
        check_order(self.a, self.b)?;
        check_spread(self.std)
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        let [low, high] = [self.a, self.b].map(|bound| (bound - self.mean) / self.std);
        Ok((0..shape.count()).map(|_| self.mean + self.std * truncated(low, high, stream)).collect())
    }
}

impl Initializer for Constant {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("val", self.val)])
    }

    fn draw(&self, shape: &ParamShape, _: &mut Stream) -> Result<Vec<f64>> {
        Ok(vec![self.val; shape.count()])
    }
}

impl Initializer for Zeros {
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn draw(&self, shape: &ParamShape, _: &mut Stream) -> Result<Vec<f64>> {
        Ok(vec![0.0; shape.count()])
    }
}

impl Initializer for Ones {
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn draw(&self, shape: &ParamShape, _: &mut Stream) -> Result<Vec<f64>> {
        Ok(vec![1.0; shape.count()])
    }
}

impl Initializer for Orthogonal {
    fn check(&self) -> Result<(), KeyError> {
        check_finite(&[("gain", self.gain)])
    }

    fn draw(&self, shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
        let values = orthogonal(shape, stream)?;
        Ok(values.into_iter().map(|x| x * self.gain).collect())
    }

    fn fits_vectors(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::Init;
    use super::*;
    use crate::rng::Purpose;

    fn draw(init: &Init, dims: &[usize]) -> Vec<f64> {
        init.draw(&ParamShape::of(dims).unwrap(), &mut Stream::new(3, Purpose::Init, 0)).unwrap()
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal() {
        for (rows, cols) in [(3, 7), (7, 3), (5, 5)] {
            let init = Init::Orthogonal(Orthogonal { gain: 2.0 });
            let w = draw(&init, &[rows, cols]);
            let (count, at): (usize, Box<dyn Fn(usize, usize) -> f64>) = if rows <= cols {
                (rows, Box::new(|i, k| w[i * cols + k]))
            } else {
                (cols, Box::new(|i, k| w[k * cols + i]))
            };
            for i in 0..count {
                for j in 0..count {
                    let dot: f64 = (0..rows.max(cols)).map(|k| at(i, k) * at(j, k)).sum();
                    assert!((dot - if i == j { 4.0 } else { 0.0 }).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn fans_need_a_matrix() {
        for name in ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"] {
            let init = Init::named(name).unwrap();
            assert!(!init.fits_vectors());
            assert!(
                init.draw(&ParamShape::of(&[3]).unwrap(), &mut Stream::new(3, Purpose::Init, 0)).is_err()
            );
        }
    }

    #[test]
    fn truncated_values_stay_inside_and_follow_the_density() {
        for (a, b, mean) in
            [(-2.0, 2.0, 0.0), (3.0, 9.0, 3.283_098_7), (-0.5, 0.5, 0.0), (-7.0, -6.0, -6.158_0)]
        {
            let init = Init::TruncNormal(TruncNormal { a, b, ..TruncNormal::default() });
            let values = draw(&init, &[300, 300]);
            assert!(values.iter().all(|x| (a..=b).contains(x)));
            // The means of scipy.stats.truncnorm.
            let ours = values.iter().sum::<f64>() / 90_000.0;
            assert!((ours - mean).abs() < 0.02, "{a} {b}: {ours}");
        }
    }
}
