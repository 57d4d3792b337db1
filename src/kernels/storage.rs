//! Slices of CPU tensors: read through a guard, write through candle's in-place operations.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, WithDType, bail};
use pulp::bytemuck::Pod;

use super::real::Real;

/// The element types that kernels compute in: `f32` and `f64`.
pub(super) trait Float: WithDType + Real + num_traits::Float + Pod {
    /// A constant in this type.
    fn of(value: f64) -> Self;
    /// The value, widened.
    fn wide(self) -> f64;
    /// The value, or 0 where it is subnormal.
    fn flushed(self) -> Self;
    /// The elements of a storage of this type.
    fn elements_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

macro_rules! float {
    ($float:ty, $variant:ident) => {
        impl Float for $float {
            #[allow(clippy::cast_possible_truncation, reason = "rounding to the kernel's type")]
            fn of(value: f64) -> Self {
                value as Self
            }
            fn wide(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn flushed(self) -> Self {
                if self.abs() < Self::MIN_POSITIVE { 0.0 } else { self }
            }
            fn elements_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
                match storage {
                    CpuStorage::$variant(elements) => Some(elements),
                    _ => None,
                }
            }
        }
    };
}
float!(f32, F32);
float!(f64, F64);

struct View<G, T> {
    guard: G,
    range: Range<usize>,
    element: PhantomData<T>,
}

impl<T: WithDType, G: Deref<Target = Storage>> Deref for View<G, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let elements = match &*self.guard {
            Storage::Cpu(storage) => T::cpu_storage_as_slice(storage).ok(),
            _ => None,
        };
        // `view` has checked device, type and range.
        elements.and_then(|elements| elements.get(self.range.clone())).unwrap_or_default()
    }
}

/// The elements of a contiguous CPU tensor.
pub(super) fn view<T: WithDType>(tensor: &Tensor) -> Result<impl Deref<Target = [T]> + '_> {
    let (guard, layout) = tensor.storage_and_layout();
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a kernel needs contiguous elements, got strides {:?}", layout.stride());
    };
    match &*guard {
        Storage::Cpu(storage) => T::cpu_storage_as_slice(storage).map(|_| ())?,
        _ => bail!("a CPU kernel was given a tensor of another device"),
    }
    Ok(View { guard, range: start..end, element: PhantomData })
}

/// Calls `f` with the elements of a contiguous CPU tensor, to write. No tensor that `f` reads may share the storage.
pub(super) fn edit<T: Float, R>(tensor: &Tensor, f: impl FnOnce(&mut [T]) -> R) -> Result<R> {
    let (mut f, mut result) = (Some(f), None);
    // Behind `dyn`: candle's part is compiled once a type instead of once a caller.
    edit_elements::<T>(tensor, &mut |elements| result = f.take().map(|f| f(elements)))?;
    match result {
        Some(result) => Ok(result),
        None => bail!("an in-place kernel did not run"),
    }
}

/// Writes elements.
type Writer<'a, T> = dyn FnMut(&mut [T]) + 'a;

fn edit_elements<T: Float>(tensor: &Tensor, f: &mut Writer<'_, T>) -> Result<()> {
    tensor.inplace_op1(&Edit(RefCell::new(f)))
}

struct Edit<'f, 'a, T>(RefCell<&'f mut Writer<'a, T>>);

impl<T: Float> InplaceOp1 for Edit<'_, '_, T> {
    fn name(&self) -> &'static str {
        "edit"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("an in-place kernel needs contiguous elements");
        };
        let Some(elements) = T::elements_mut(storage) else {
            bail!("an in-place kernel was given elements of another type");
        };
        self.0.borrow_mut()(&mut elements[start..end]);
        Ok(())
    }
}

/// A new tensor of `shape` from its elements.
pub(super) fn tensor<T: Float>(elements: Vec<T>, shape: impl Into<candle_core::Shape>) -> Result<Tensor> {
    Tensor::from_vec(elements, shape.into(), &candle_core::Device::Cpu)
}
