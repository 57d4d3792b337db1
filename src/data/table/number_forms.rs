//! The ways of writing numbers besides the table's own in which all cells of a column are numbers.

use std::path::Path;

use rustc_hash::FxHashMap;

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

    /// The forms that fit the most rows of these names, where these are half of all or more, and more than are numbers as they
    /// stand, and at most `words` other names are left.
    pub(super) fn of_most(names: &FxHashMap<String, f64>, words: usize) -> Self {
        let total = |fits: &mut dyn FnMut(&str) -> bool| {
            let fitting = names.iter().filter(|(name, _)| fits(name));
            fitting.fold((0, 0.0), |(count, rows), (_, own)| (count + 1, rows + own))
        };
        let (all, all_rows) = total(&mut |_| true);
        let (_, as_they_stand) = total(&mut |text| text.parse::<f64>().is_ok_and(f64::is_finite));
        let mut plain = String::new();
        let each = FORMS
            .map(|form| total(&mut |text| form.cell(text, &mut plain).number().is_some_and(f64::is_finite)));
        let most = each.iter().map(|(_, rows)| *rows).fold(as_they_stand, f64::max);
        let is_enough = |rows: f64| rows >= most && rows > as_they_stand && 2.0 * rows >= all_rows;
        Self { fitting: each.map(|(count, rows)| is_enough(rows) && all - count <= words) }
    }

    /// Whether no form fits.
    pub(super) fn are_none(&self) -> bool {
        !self.fitting.contains(&true)
    }

    /// Rules out the forms that do not fit a cell.
    pub(super) fn see(&mut self, value: Value<'_>) {
        if self.are_none() {
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

    #[test]
    fn a_form_fits_most_rows_but_those_of_a_few_words() {
        let only = |names: &[(&str, f64)]| {
            let names = names.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect();
            let forms = NumberForms::of_most(&names, 2);
            forms.only().map(|form| (form.decimal, form.thousands))
        };
        assert_eq!(only(&[("3,5", 1.0), ("4,25", 1.0), ("?", 2.0)]), Some((',', None)));
        assert_eq!(only(&[("3,5", 1.0), ("1.234,5", 1.0), ("?", 1.0), ("-", 1.0)]), Some((',', Some('.'))));
        assert_eq!(only(&[("1,234.5", 3.0), ("17", 1.0), ("none", 1.0)]), Some(('.', Some(','))));
        for names in [
            // Too many words, too many rows of them, no number but those that are some as they stand, and a doubt.
            &[("3,5", 9.0), ("a", 1.0), ("b", 1.0), ("c", 1.0)][..],
            &[("3,5", 1.0), ("?", 2.0)],
            &[("1.5", 1.0), ("2", 1.0), ("?", 1.0)],
            &[("1.5", 2.0), ("1,5", 1.0)],
            &[("1,234", 1.0), ("?", 1.0)],
            &[],
        ] {
            assert_eq!(only(names), None, "{names:?}");
        }
    }
}
