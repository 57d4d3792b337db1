//! The elements of an array, piece by piece.

use std::io::{ErrorKind, Read};

use candle_core::{Device, Tensor, WithDType};

use crate::data::bytes::Bytes;
use crate::data::memory::MemoryLimit;
use crate::error::Error;
use crate::files::read_up_to;

/// Bytes that are read at a time; a multiple of every element's size.
const PIECE: usize = 1 << 16;

/// The line of Python that numbers classes from 0.
pub(in crate::data) const NUMBER_ANEW: &str = "`classes, y = np.unique(y, return_inverse=True)`";

/// An array.
#[derive(Debug, Clone)]
pub struct Array {
    /// Its elements.
    pub tensor: Tensor,
    /// The meaning of its bytes, if it has bytes.
    pub bytes: Bytes,
}

/// The conversion of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integers {
    /// Features: those of 8 bits stay bytes, those of 16 become F32, others F64.
    Features,
    /// Targets: I64, but for unsigned bytes.
    Exact,
}

/// Reads the elements of an array.
pub(super) struct ElementReader<'a, R> {
    pub(super) source: &'a mut R,
    pub(super) count: usize,
    pub(super) limit: MemoryLimit,
    /// The number of copies that are in memory at a time.
    pub(super) copies: u64,
}

impl<R: Read> ElementReader<'_, R> {
    pub(super) fn read(self, kind: &str, integers: Integers) -> Result<Array, String> {
        let features = integers == Integers::Features;
        let whole = |bytes: Bytes| move |tensor| Array { tensor, bytes };
        let as_pixels = whole(Bytes::Pixels);
        let kind = kind.trim_start_matches(['<', '|', '=']);
        match kind {
            "u1" => self.all(|[b]| b).map(as_pixels),
            "b1" if features => self.all(|[b]| u8::from(b != 0)).map(whole(Bytes::Flags)),
            "i1" if features => self.all(|[b]| b ^ 0x80).map(whole(Bytes::Signed)),
            "i2" if features => self.all(|b| f32::from(i16::from_le_bytes(b))).map(as_pixels),
            "u2" if features => self.all(|b| f32::from(u16::from_le_bytes(b))).map(as_pixels),
            "i4" if features => self.all(|b| f64::from(i32::from_le_bytes(b))).map(as_pixels),
            "u4" if features => self.all(|b| f64::from(u32::from_le_bytes(b))).map(as_pixels),
            "i8" if features => self.all(|b| double(i64::from_le_bytes(b))).map(as_pixels),
            "u8" if features => self.numbers(|b| unsigned(b).map(double)).map(as_pixels),
            "b1" => self.all(|[b]| i64::from(b != 0)).map(as_pixels),
            "i1" => self.all(|b| i64::from(i8::from_le_bytes(b))).map(as_pixels),
            "i2" => self.all(|b| i64::from(i16::from_le_bytes(b))).map(as_pixels),
            "u2" => self.all(|b| i64::from(u16::from_le_bytes(b))).map(as_pixels),
            "i4" => self.all(|b| i64::from(i32::from_le_bytes(b))).map(as_pixels),
            "u4" => self.all(|b| i64::from(u32::from_le_bytes(b))).map(as_pixels),
            "i8" => self.all(i64::from_le_bytes).map(as_pixels),
            "u8" => self.numbers(unsigned).map(as_pixels),
            "f2" => self.all(|b| half::f16::from_le_bytes(b).to_f32()).map(as_pixels),
            "f4" => self.all(f32::from_le_bytes).map(as_pixels),
            "f8" => self.all(f64::from_le_bytes).map(as_pixels),
            text if text.starts_with(['U', 'S']) => Err(of_text(text, integers)),
            other => Err(format!(
                "its elements are `{}`; save numbers in the machine's byte order, as float32, float64 or integers",
                other.escape_debug()
            )),
        }
    }

    /// Reads little-endian numbers of `N` bytes, each of which is one.
    fn all<const N: usize, T: WithDType>(self, number: impl Fn([u8; N]) -> T) -> Result<Tensor, String> {
        self.extend::<N, T>(|numbers, piece| {
            numbers.extend(piece.iter().map(|bytes| number(*bytes)));
            Ok(())
        })
    }

    /// Reads little-endian numbers of `N` bytes, some of which may not be one.
    fn numbers<const N: usize, T: WithDType>(
        self,
        number: impl Fn([u8; N]) -> Result<T, String>,
    ) -> Result<Tensor, String> {
        self.extend::<N, T>(|numbers, piece| {
            for bytes in piece {
                numbers.push(number(*bytes)?);
            }
            Ok(())
        })
    }

    /// Reads numbers of `N` bytes piece by piece by `extend`. Nothing is reserved before the limit allows it.
    fn extend<const N: usize, T: WithDType>(
        self,
        extend: impl Fn(&mut Vec<T>, &[[u8; N]]) -> Result<(), String>,
    ) -> Result<Tensor, String> {
        let Self { count, limit, copies, .. } = self;
        let size = count.checked_mul(N).ok_or("its shape is larger than memory")?;
        let all = (count as u64).checked_mul(size_of::<T>() as u64 * copies);
        limit.check(all).map_err(|problem| format!("it {problem}"))?;
        let mut numbers = limit.reserve(count).map_err(|problem| format!("it {problem}"))?;
        self.read_pieces(size, &mut |piece| extend(&mut numbers, piece.as_chunks::<N>().0))?;
        Tensor::from_vec(numbers, count, &Device::Cpu).map_err(describe)
    }

    /// Calls `see` with all bytes of the elements piece by piece; compiled once, not once an element type.
    fn read_pieces(
        self,
        size: usize,
        see: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut piece = vec![0; PIECE.min(size)];
        let (mut read, mut left) = (0, size);
        while left > 0 {
            let piece = &mut piece[..PIECE.min(left)];
            let got = read_up_to(self.source, piece).map_err(|error| unreadable(&error))?;
            (read, left) = (read + got, left - piece.len());
            if got < piece.len() {
                return Err(format!("its header says {size} bytes of elements, the file has {read}"));
            }
            see(piece)?;
        }
        if read_up_to(self.source, &mut [0]).map_err(|error| unreadable(&error))? > 0 {
            return Err(format!("its header says {size} bytes of elements, the file has more"));
        }
        Ok(())
    }
}

/// The problem with an array of text.
fn of_text(kind: &str, integers: Integers) -> String {
    let way_out = match integers {
        Integers::Exact => format!("classes are numbers from 0, as {NUMBER_ANEW} makes them"),
        Integers::Features => {
            "features are numbers; a table (CSV, Parquet) may have columns of text".to_owned()
        }
    };
    format!("its elements are text (`{}`), and {way_out}", kind.escape_debug())
}

#[allow(clippy::cast_precision_loss, reason = "a feature is a floating-point number")]
fn double(number: i64) -> f64 {
    number as f64
}

fn unsigned(bytes: [u8; 8]) -> Result<i64, String> {
    let number = u64::from_le_bytes(bytes);
    i64::try_from(number).map_err(|_| format!("it has {number}, which is too large"))
}

pub(super) fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof | ErrorKind::Other => {
            format!("it is damaged ({error}); copy or save the file again")
        }
        _ => format!("it cannot be read: {error}"),
    }
}

/// candle's error without its backtrace.
pub(super) fn describe(error: candle_core::Error) -> String {
    Error::from(error).to_string()
}
