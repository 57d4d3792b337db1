//! The ways of writing numbers besides the table's own in which all cells of a column are numbers.

use std::path::Path;

use super::read::{Format, NumberForm};
use super::value::Value;

/// The forms in use, the most usual first.
const FORMS: [NumberForm; 7] = [
    NumberForm { decimal: ',', thousands: None },
    NumberForm { decimal: ',', thousands: Some('.') },
    NumberForm { decimal: '.', thousands: Some(',') },
    NumberForm { decimal: '.', thousands: Some('\'') },
    NumberForm { decimal: '.', thousands: Some(' ') },
    NumberForm { decimal: ',', thousands: Some('\'') },
    NumberForm { decimal: ',', thousands: Some(' ') },
];

/// Whether a text is a number in the usual form or one of these.
pub(super) fn is_number_of_any_form(text: &str) -> bool {
    let mut plain = String::new();
    let is = |form: &NumberForm| form.cell(text, &mut plain).number().is_some_and(f64::is_finite);
    FORMS.iter().any(is) || text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The forms that all cells so far fit; none before the first cell that is no number.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberForms {
    fitting: [bool; FORMS.len()],
}

impl NumberForms {
    /// The forms that fit a cell.
    pub(super) fn of(value: Value<'_>) -> Self {
        let mut forms = Self { fitting: [true; FORMS.len()] };
        forms.see(value);
        forms
    }

    /// Rules out the forms that do not fit a cell.
    pub(super) fn see(&mut self, value: Value<'_>) {
        if !self.fitting.contains(&true) {
            return;
        }
        let mut plain = String::new();
        let mut fits = |form: NumberForm| {
            value.text().is_some_and(|text| form.cell(text, &mut plain).number().is_some_and(f64::is_finite))
        };
        for (fitting, form) in self.fitting.iter_mut().zip(FORMS) {
            *fitting = *fitting && fits(form);
        }
    }

    /// The form that makes all cells numbers, where no other one may be meant.
    pub(super) fn only(&self) -> Option<NumberForm> {
        let place = self.fitting.iter().position(|fits| *fits)?;
        let grouped =
            FORMS.iter().position(|form| *form == NumberForm { decimal: '.', thousands: Some(',') })?;
        let is_doubtful = FORMS[place].thousands.is_none() && self.fitting[grouped];
        (!is_doubtful).then_some(FORMS[place])
    }

    /// The options that make all cells numbers, if there are any.
    pub(super) fn hint(&self, path: &Path) -> Option<String> {
        let fits =
            |wanted: NumberForm| self.fitting[FORMS.iter().position(|form| *form == wanted)?].then_some(());
        let place = self.fitting.iter().position(|fits| *fits)?;
        if Format::of(path).is_some_and(|format| format != Format::Csv) {
            return Some("write them without thousands separators, and with a decimal point".to_owned());
        }
        let first = FORMS[place];
        let grouped = NumberForm { decimal: '.', thousands: Some(',') };
        if first.thousands.is_none() && fits(grouped).is_some() {
            return Some(
                "set `data.decimal = \",\"` where 1,234 is 1.234, or `data.thousands = \",\"` where it is 1234"
                    .to_owned(),
            );
        }
        let decimal = (first.decimal != '.').then(|| format!("`data.decimal = \"{}\"`", first.decimal));
        let thousands = first.thousands.map(|own| format!("`data.thousands = \"{own}\"`"));
        let options: Vec<String> = decimal.into_iter().chain(thousands).collect();
        Some(format!("set {}", options.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(texts: &[&str]) -> Option<String> {
        let mut forms = NumberForms::of(Value::Text(texts[0]));
        for text in texts {
            forms.see(Value::Text(text));
        }
        forms.hint(Path::new("t.csv"))
    }

    #[test]
    fn the_options_that_make_numbers_of_all_cells_are_named() {
        for (texts, options) in [
            (&["3,5", "4", "2,25"][..], "set `data.decimal = \",\"`"),
            (&["3,5", "1.234,56", "1.234"], "set `data.decimal = \",\"` and `data.thousands = \".\"`"),
            (&["12.345.678", "1"], "set `data.decimal = \",\"` and `data.thousands = \".\"`"),
            (&["1,234.5", "12,345"], "set `data.thousands = \",\"`"),
            (&["12'345", "0.5"], "set `data.thousands = \"'\"`"),
            (&["1 234,5"], "set `data.decimal = \",\"` and `data.thousands = \" \"`"),
            (
                &["1,234"],
                "set `data.decimal = \",\"` where 1,234 is 1.234, or `data.thousands = \",\"` where",
            ),
        ] {
            assert!(
                hint(texts).is_some_and(|hint| hint.starts_with(options)),
                "{texts:?}: {:?}",
                hint(texts)
            );
        }
        for texts in [&["3,5", "red"][..], &["01.02.2024"], &["1.5", "1,5"], &["2.0.1"], &["1,2,3"]] {
            assert_eq!(hint(texts), None, "{texts:?}");
        }
        assert!(NumberForms::default().hint(Path::new("t.csv")).is_none());
    }
}
