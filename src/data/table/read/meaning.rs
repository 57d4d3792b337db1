//! The meaning of the values of a Parquet column:
//! <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::{ByteArray, Int96};
use parquet::schema::types::ColumnDescriptor;

use crate::data::table::dates::SECONDS_A_DAY;
use crate::data::table::value::decimal;

/// The meaning of the numbers of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Number,
    Unsigned,
    /// A whole number with so many of its digits behind the point.
    Decimal(u8),
    /// Days.
    Date,
    /// A whole number of which there are so many a day.
    Timestamp(f64),
    Float16,
    Text,
    /// A list, a map, or bytes.
    Unusable,
}

pub(super) enum Held {
    Missing,
    Number(f64),
    Single(f32),
    Integer(i64),
    Decimal(i64, u8),
    Date(f64),
    Boolean(bool),
    Text(ByteArray),
    Nested,
}

impl Meaning {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        use parquet::basic::Type;
        if column.max_rep_level() > 0 {
            return Self::Unusable;
        }
        let a_day = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1e3 * SECONDS_A_DAY,
            TimeUnit::MICROS => 1e6 * SECONDS_A_DAY,
            TimeUnit::NANOS => 1e9 * SECONDS_A_DAY,
        };
        let decimal = || u8::try_from(column.type_scale()).map_or(Self::Unusable, Self::Decimal);
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => return decimal(),
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => return Self::Date,
            (Some(LogicalType::Timestamp(timestamp)), _) => return Self::Timestamp(a_day(&timestamp.unit)),
            (_, ConvertedType::TIMESTAMP_MILLIS) => return Self::Timestamp(a_day(&TimeUnit::MILLIS)),
            (_, ConvertedType::TIMESTAMP_MICROS) => return Self::Timestamp(a_day(&TimeUnit::MICROS)),
            (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => return Self::Unsigned,
            (
                _,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => return Self::Unsigned,
            (Some(LogicalType::Float16), _) => return Self::Float16,
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
            | (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => return Self::Text,
            _ => {}
        }
        match column.physical_type() {
            // Bytes that nobody called text; older writers do so. A cell that is not UTF-8 is an error where it is
            // used.
            Type::BYTE_ARRAY => Self::Text,
            Type::FIXED_LEN_BYTE_ARRAY => Self::Unusable,
            Type::INT96 => Self::Timestamp(1.0),
            _ => Self::Number,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a point in time as a fraction of days")]
    pub(super) fn whole(self, number: i64) -> Held {
        match self {
            Self::Decimal(scale) => Held::Decimal(number, scale),
            Self::Date => Held::Date(number as f64),
            Self::Timestamp(a_day) => Held::Date(number as f64 / a_day),
            Self::Unsigned if number < 0 => large(i128::from(number.cast_unsigned()), 0),
            _ => Held::Integer(number),
        }
    }

    pub(super) fn bytes(self, bytes: ByteArray) -> Held {
        match self {
            Self::Text => Held::Text(bytes),
            Self::Decimal(scale) => big_endian(bytes.data(), scale),
            Self::Float16 => match *bytes.data() {
                [low, high] => Held::Single(half::f16::from_le_bytes([low, high]).to_f32()),
                _ => Held::Missing,
            },
            _ => Held::Nested,
        }
    }
}

/// A number of digits in two's complement, the largest byte first.
fn big_endian(bytes: &[u8], scale: u8) -> Held {
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    if bytes.len() > size_of::<i128>() {
        // More digits than any database keeps.
        let start = if negative { -1.0 } else { 0.0 };
        let digits = bytes.iter().fold(start, |sum, byte| sum * 256.0 + f64::from(*byte));
        return Held::Number(digits * 10f64.powi(-i32::from(scale)));
    }
    let start = if negative { -1 } else { 0 };
    let digits = bytes.iter().fold(start, |sum: i128, byte| (sum << 8) | i128::from(*byte));
    i64::try_from(digits).map_or_else(|_| large(digits, scale), |digits| Held::Decimal(digits, scale))
}

/// A number of more digits than 64 bits hold, as its text.
fn large(digits: i128, scale: u8) -> Held {
    Held::Text(ByteArray::from(decimal(digits, scale).into_bytes()))
}

/// Spark's old instants: nanoseconds of the day, and the Julian day.
pub(super) fn int96(instant: &Int96) -> f64 {
    const JULIAN_DAY_OF_1970: f64 = 2_440_588.0;
    let [low, high, day] = [0, 1, 2].map(|word| f64::from(instant.data()[word]));
    day - JULIAN_DAY_OF_1970 + (high * 4_294_967_296.0 + low) / (1e9 * SECONDS_A_DAY)
}
