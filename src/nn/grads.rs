//! Gradients on their way from the layers to the optimizer.

use std::cell::{Cell, RefCell};

use candle_core::{DType, Device, Tensor};

use super::{Param, Params};
use crate::error::{Error, Result};
use crate::kernels::norm::{all_finite, sum_of_magnitudes};
use crate::kernels::{Onto, Products, Sink, linear};

/// The gradients of a weight and its bias as what they are made of: `gradᵀ xs`, and the sum of `grad` over the rows.
#[derive(Debug)]
pub struct Product {
    /// The input, (N, in).
    pub xs: Tensor,
    /// The gradient of the value, (N, out).
    pub grad: Tensor,
    /// The product's precision.
    pub products: Products,
}

impl Product {
    /// Whether no element of the gradients can leave the finite numbers: no sum of products is larger than the product
    /// of the sums of magnitudes.
    fn is_bounded(&self) -> Result<bool> {
        let limit = if self.xs.dtype() == DType::F64 { 1e300 } else { 1e38 };
        // The bias has the sum of the gradient alone. NaN is not smaller.
        Ok((1.0 + sum_of_magnitudes(&self.xs)?) * sum_of_magnitudes(&self.grad)? < limit)
    }
}

/// The gradients of all parameters. Each has a buffer, used again in every update; products may wait to be multiplied
/// out until they are known to be finite, and then go straight into the weights.
#[derive(Debug)]
pub struct Grads {
    buffers: Vec<Tensor>,
    filled: Vec<Cell<bool>>,
    waits: bool,
    /// With the places of weight and bias.
    products: RefCell<Vec<([usize; 2], Product)>>,
}

impl Grads {
    /// Empty gradients for all parameters.
    pub fn new(params: &Params) -> Result<Self> {
        let buffers: Vec<Tensor> =
            params.trainable().iter().map(|param| param.value().zeros_like()).collect::<Result<_, _>>()?;
        let filled = vec![Cell::new(false); buffers.len()];
        Ok(Self { buffers, filled, waits: false, products: RefCell::default() })
    }

    /// Where the gradients are.
    pub fn device(&self) -> &Device {
        self.buffers.first().map_or(&Device::Cpu, Tensor::device)
    }

    /// Forgets all gradients; the buffers stay.
    pub fn clear(&mut self) {
        self.filled.iter().for_each(|filled| filled.set(false));
        self.products.get_mut().clear();
        self.waits = false;
    }

    /// Says that all gradients have arrived: a captured graph brings them.
    pub fn have_arrived(&self) {
        self.filled.iter().for_each(|filled| filled.set(true));
    }

    /// From now on, until all is cleared, products wait.
    pub fn let_products_wait(&mut self) {
        self.waits = true;
    }

    /// Where the gradient of `param` goes. Taking the sink counts as a gradient that has arrived.
    pub fn sink(&self, param: &Param) -> Sink<'_> {
        self.sink_at(param.index())
    }

    fn sink_at(&self, index: usize) -> Sink<'_> {
        let onto = if self.filled[index].replace(true) { Onto::ADD } else { Onto::REPLACE };
        Sink { buffer: &self.buffers[index], onto }
    }

    /// Takes the gradients of a weight and its bias.
    pub fn put(&self, of: [&Param; 2], product: Product) -> Result<()> {
        let of = of.map(Param::index);
        if self.waits {
            self.products.borrow_mut().push((of, product));
            return Ok(());
        }
        self.multiply(of, &product)
    }

    fn multiply(&self, of: [usize; 2], Product { xs, grad, products }: &Product) -> Result<()> {
        Ok(linear::gradients(xs, grad, of.map(|index| Some(self.sink_at(index))), *products)?)
    }

    /// Multiplies out what waits, unless every gradient in it is sure to be finite.
    pub fn multiply_out_of_bounds(&mut self) -> Result<()> {
        for (_, product) in self.products.get_mut() {
            if !product.is_bounded()? {
                return self.multiply_out();
            }
        }
        Ok(())
    }

    /// Multiplies out what waits.
    pub fn multiply_out(&mut self) -> Result<()> {
        self.waits = false;
        self.products.take().iter().try_for_each(|(of, product)| self.multiply(*of, product))
    }

    /// Calls `f` with each product that waits and the places of its weight and bias.
    pub fn for_each_product(&self, mut f: impl FnMut([usize; 2], &Product) -> Result<()>) -> Result<()> {
        self.products.borrow().iter().try_for_each(|(of, product)| f(*of, product))
    }

    /// Whether the gradient of `param` is part of a product that waits.
    pub fn waits(&self, param: &Param) -> bool {
        self.products.borrow().iter().any(|(of, _)| of.contains(&param.index()))
    }

    /// The gradient of `param`, if one has arrived.
    pub fn get(&self, param: &Param) -> Option<&Tensor> {
        self.filled[param.index()].get().then(|| &self.buffers[param.index()])
    }

    /// The gradient of `param`; it is an error if none has arrived.
    pub fn require(&self, param: &Param) -> Result<&Tensor> {
        self.get(param).ok_or_else(|| Error::NoGradient(param.name().to_owned()))
    }

    /// Whether the gradient of `param` is finite. One that waits is.
    pub fn is_finite(&self, param: &Param) -> Result<bool> {
        Ok(self.waits(param) || all_finite(self.require(param)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Init;

    fn params() -> Params {
        let mut params = Params::new(1, DType::F32, &Device::Cpu);
        params.param("w", &[2, 3], &Init::named("normal").unwrap()).unwrap();
        params.param("b", &[2], &Init::named("normal").unwrap()).unwrap();
        params
    }

    #[test]
    fn a_gradient_that_does_not_arrive_is_named() {
        let params = params();
        let grads = Grads::new(&params).unwrap();
        let error = grads.require(&params.trainable()[0]).unwrap_err().to_string();
        assert!(error.contains("`w`"), "{error}");
    }

    #[test]
    fn a_product_waits_only_while_it_is_sure_to_be_finite() {
        let params = params();
        let mut grads = Grads::new(&params).unwrap();
        let [w, b] = params.trainable() else { panic!("two parameters") };
        for (size, waits, finite) in [(1e10f32, true, true), (1e25, false, false), (1.1e19, false, true)] {
            grads.clear();
            grads.let_products_wait();
            let xs = Tensor::full(size, (1, 3), &Device::Cpu).unwrap();
            let grad = Tensor::full(size, (1, 2), &Device::Cpu).unwrap();
            grads.put([w, b], Product { xs, grad, products: Products::F32 }).unwrap();
            grads.multiply_out_of_bounds().unwrap();
            assert_eq!((grads.waits(w), grads.waits(b)), (waits, waits), "{size}");
            assert_eq!(grads.is_finite(w).unwrap(), finite, "{size}");
        }
        for (x, g) in [(1.0, f32::NAN), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            grads.clear();
            grads.let_products_wait();
            let xs = Tensor::full(x, (1, 3), &Device::Cpu).unwrap();
            let grad = Tensor::full(g, (1, 2), &Device::Cpu).unwrap();
            grads.put([w, b], Product { xs, grad, products: Products::F32 }).unwrap();
            grads.multiply_out_of_bounds().unwrap();
            assert!(!grads.is_finite(w).unwrap());
        }
    }
}
