//! The bytes of a tensor.

use candle_core::{DType, Device, Result, Tensor, WithDType};

use super::storage::view;

/// Calls `f` with the elements in row-major order, little-endian, chunk by chunk.
pub fn for_each(tensor: &Tensor, mut f: impl FnMut(&[u8])) -> Result<()> {
    fn numbers<const N: usize, T: WithDType>(
        tensor: &Tensor,
        bytes: impl Fn(T) -> [u8; N],
        f: &mut impl FnMut(&[u8]),
    ) -> Result<()> {
        const CHUNK: usize = 4096;
        let mut chunk = [[0; N]; CHUNK];
        for elements in view::<T>(tensor)?.chunks(CHUNK) {
            let chunk = &mut chunk[..elements.len()];
            for (own, element) in chunk.iter_mut().zip(elements) {
                *own = bytes(*element);
            }
            f(chunk.as_flattened());
        }
        Ok(())
    }
    let tensor = tensor.to_device(&Device::Cpu)?.contiguous()?;
    match tensor.dtype() {
        DType::U8 => {
            f(&view::<u8>(&tensor)?);
            Ok(())
        }
        DType::I64 => numbers(&tensor, i64::to_le_bytes, &mut f),
        DType::F32 => numbers(&tensor, f32::to_le_bytes, &mut f),
        // f64 holds every number of the smaller types.
        _ => numbers(&tensor.to_dtype(DType::F64)?, f64::to_le_bytes, &mut f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_come_in_order() {
        let xs = Tensor::arange(0f32, 6.0, &Device::Cpu).unwrap().reshape((2, 3)).unwrap().t().unwrap();
        let mut all = Vec::new();
        for_each(&xs, |bytes| all.extend_from_slice(bytes)).unwrap();
        let expected: Vec<u8> =
            [0f32, 3.0, 1.0, 4.0, 2.0, 5.0].into_iter().flat_map(f32::to_le_bytes).collect();
        assert_eq!(all, expected);
    }
}
