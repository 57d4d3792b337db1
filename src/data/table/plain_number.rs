//! The columns of numbers that become one feature each, which most are: encoded without a look at the cell's kind.

use crate::data::preprocess::{Column, Operation, smooth_clip};

/// The operations of such a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainNumber {
    /// The number in the place of a missing one.
    fill: Option<f64>,
    offset: f64,
    scale: f64,
    clips: bool,
}

impl PlainNumber {
    /// The operations of a column; nothing where it has others.
    pub(super) fn of(column: &Column) -> Option<Self> {
        let (Operation::Number, mut rest) = column.operations.split_first()? else { return None };
        let mut plain = Self { fill: None, offset: 0.0, scale: 1.0, clips: false };
        if let [Operation::Impute(fill), more @ ..] = rest {
            (plain.fill, rest) = (Some(*fill), more);
        }
        if let [Operation::Scale { offset, scale }, more @ ..] = rest {
            (plain.offset, plain.scale, rest) = (*offset, *scale, more);
        }
        if let [Operation::SmoothClip, more @ ..] = rest {
            (plain.clips, rest) = (true, more);
        }
        (rest.is_empty() && column.ignored.is_none()).then_some(plain)
    }

    /// The feature of a number, NaN where it is missing; nothing where that is an error.
    #[inline]
    pub(super) fn apply(self, number: f64) -> Option<f64> {
        let number = if number.is_nan() { self.fill? } else { number };
        if number.is_infinite() {
            return None;
        }
        let scaled = (number - self.offset) / self.scale;
        Some(if self.clips { smooth_clip(scaled) } else { scaled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::preprocess::Features;
    use crate::data::table::value::Value;

    #[test]
    fn a_feature_has_the_bits_that_the_operations_give() {
        let scale = Operation::Scale { offset: 0.3, scale: 0.7 };
        let lists = [
            vec![Operation::Number],
            vec![Operation::Number, scale.clone()],
            vec![Operation::Number, Operation::Impute(1.25), scale.clone()],
            vec![Operation::Number, scale.clone(), Operation::SmoothClip],
            vec![Operation::Number, Operation::Impute(-2.0), scale.clone(), Operation::SmoothClip],
        ];
        for operations in lists {
            let column = Column { name: "x".to_owned(), operations, ignored: None };
            let plain = PlainNumber::of(&column).unwrap();
            for number in [0.0, -0.0, 1.0 / 3.0, -7e300, 5e-324, f64::NAN, f64::INFINITY] {
                let cell = if number.is_nan() { Value::Missing } else { Value::Number(number) };
                let mut features = Features::default();
                let expected = column.apply(cell, &mut features).ok().map(|_| features.dense[0].to_bits());
                assert_eq!(plain.apply(number).map(f64::to_bits), expected, "{column:?}, {number}");
            }
        }
        let other = |operations| Column { name: "x".to_owned(), operations, ignored: None };
        assert!(PlainNumber::of(&other(vec![Operation::Boolean])).is_none());
        assert!(PlainNumber::of(&other(vec![Operation::Number, Operation::MissingIndicator])).is_none());
        assert!(PlainNumber::of(&other(vec![Operation::Number, scale, Operation::Impute(0.0)])).is_none());
    }
}
