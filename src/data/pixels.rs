//! The pixels of many pictures in memory.

use candle_core::{Device, Tensor};

use super::memory::MemoryLimit;
use crate::error::Result;

/// The pixels of pictures, one after the other, from 0 to 255: bytes, or once a picture has 16 bits, numbers in steps
/// of 1/257.
#[derive(Debug)]
pub struct PixelBuffer {
    values: PixelValues,
    limit: MemoryLimit,
}

#[derive(Debug)]
enum PixelValues {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

impl PixelBuffer {
    /// A buffer with room for this many bytes.
    ///
    /// # Errors
    /// More than the limit allows.
    pub fn new(count: usize, limit: MemoryLimit) -> Result<Self, String> {
        Ok(Self { values: PixelValues::Bytes(limit.reserve(count)?), limit })
    }

    /// Adds pixels of 8 bits.
    pub(super) fn add_bytes(&mut self, pixels: &[u8]) {
        match &mut self.values {
            PixelValues::Bytes(own) => own.extend_from_slice(pixels),
            PixelValues::Numbers(own) => own.extend(pixels.iter().map(|byte| f32::from(*byte))),
        }
    }

    /// Adds pixels of 16 bits.
    pub(super) fn add_deep(&mut self, pixels: &[u16]) -> Result<(), String> {
        if let PixelValues::Bytes(bytes) = &self.values {
            let refused =
                |problem| format!("it has 16 bits, with which every pixel takes 4 bytes: the data {problem}");
            let mut numbers: Vec<f32> =
                self.limit.reserve(bytes.capacity().max(pixels.len())).map_err(refused)?;
            numbers.extend(bytes.iter().map(|byte| f32::from(*byte)));
            self.values = PixelValues::Numbers(numbers);
        }
        if let PixelValues::Numbers(own) = &mut self.values {
            own.extend(pixels.iter().map(|pixel| f32::from(*pixel) / 257.0));
        }
        Ok(())
    }

    /// All pixels as a tensor of this shape.
    pub fn tensor(self, shape: &[usize]) -> Result<Tensor> {
        Ok(match self.values {
            PixelValues::Bytes(bytes) => Tensor::from_vec(bytes, shape, &Device::Cpu)?,
            PixelValues::Numbers(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu)?,
        })
    }
}
