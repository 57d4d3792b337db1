//! What the values of a Parquet column stand for:
//! <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::ByteArray;
use parquet::schema::types::ColumnDescriptor;

pub(super) const SECONDS_A_DAY: f64 = 86_400.0;

/// What the numbers of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Number,
    Unsigned,
    /// A whole number times this.
    Decimal(f64),
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
    Date(f64),
    Boolean(bool),
    Text(ByteArray),
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
        let decimal = || Self::Decimal(10f64.powi(-column.type_scale()));
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => return decimal(),
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => return Self::Date,
            (Some(LogicalType::Timestamp(timestamp)), _) => return Self::Timestamp(a_day(&timestamp.unit)),
            (_, ConvertedType::TIMESTAMP_MILLIS) => return Self::Timestamp(a_day(&TimeUnit::MILLIS)),
            (_, ConvertedType::TIMESTAMP_MICROS) => return Self::Timestamp(a_day(&TimeUnit::MICROS)),
            (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => return Self::Unsigned,
            (Some(LogicalType::Float16), _) => return Self::Float16,
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
            | (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => return Self::Text,
            _ => {}
        }
        match column.physical_type() {
            // Bytes that nobody called text; older writers do so. What is no UTF-8 is an error where it is used.
            Type::BYTE_ARRAY => Self::Text,
            Type::FIXED_LEN_BYTE_ARRAY => Self::Unusable,
            Type::INT96 => Self::Timestamp(1.0),
            _ => Self::Number,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a feature is a floating-point number")]
    pub(super) fn whole(self, number: i64) -> Held {
        match self {
            Self::Decimal(unit) => Held::Number(number as f64 * unit),
            Self::Date => Held::Date(number as f64),
            Self::Timestamp(a_day) => Held::Date(number as f64 / a_day),
            Self::Unsigned => Held::Number(number.cast_unsigned() as f64),
            _ => Held::Number(number as f64),
        }
    }

    pub(super) fn bytes(self, bytes: ByteArray) -> Held {
        match self {
            Self::Text => Held::Text(bytes),
            Self::Decimal(unit) => {
                // Two's complement, the largest byte first.
                let negative = bytes.data().first().is_some_and(|byte| *byte >= 0x80);
                let start = if negative { -1.0 } else { 0.0 };
                Held::Number(
                    bytes.data().iter().fold(start, |sum, byte| sum * 256.0 + f64::from(*byte)) * unit,
                )
            }
            Self::Float16 => match *bytes.data() {
                [low, high] => Held::Number(half::f16::from_le_bytes([low, high]).to_f64()),
                _ => Held::Missing,
            },
            _ => Held::Missing,
        }
    }
}
