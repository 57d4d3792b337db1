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

/// Points group the thousands.
const BY_POINTS: NumberForm = NumberForm { decimal: ',', thousands: Some('.') };

/// An example of the numbers with such groups that half of these names or more are.
pub(super) fn grouped_by_points(names: &FxHashMap<String, f64>) -> Option<&String> {
    let mut plain = String::new();
    let numbers: Vec<&String> = names.keys().filter(|name| is_number(BY_POINTS, name, &mut plain)).collect();
    let example = numbers.iter().copied().filter(|name| name.contains('.')).min()?;
    (2 * numbers.len() >= names.len()).then_some(example)
}

/// Whether a text is a number in the usual form or one of these.
pub(super) fn is_number_of_any_form(text: &str) -> bool {
    let mut plain = String::new();
    FORMS.iter().any(|form| is_number(*form, text, &mut plain))
        || text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a text is a number in this form, as people write it: no thousands stand behind a 0, so that `0,125` is a fraction.
fn is_number(form: NumberForm, text: &str, plain: &mut String) -> bool {
    let digits = text.trim_start_matches(['-', '+']).strip_prefix('0');
    let is_fraction = form.thousands.is_some_and(|own| digits.is_some_and(|rest| rest.starts_with(own)));
    let is_whole = form.thousands != Some('.') || !is_address(text);
    !is_fraction && is_whole && form.cell(text, plain).number().is_some_and(f64::is_finite)
}

/// Whether a text is an address of the internet: four numbers up to 255 between points.
fn is_address(text: &str) -> bool {
    text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok())
}

/// The decimal marks that the cells of a file prove: a mark with other than three digits behind it, or with a 0 or more than
/// three digits before it, groups no thousands.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is seen for itself")]
pub(super) struct DecimalMarks {
    point: bool,
    comma: bool,
    /// Whether there are numbers with a point at all, as the file stands.
    has_points: bool,
    /// Whether points group thousands: `1.234,5`, `1.234.567`.
    has_groups: bool,
}

impl DecimalMarks {
    /// Sees a cell.
    pub(super) fn see(&mut self, text: &str) {
        let proves = |mark: char| {
            let Some((whole, fraction)) = text.trim_start_matches(['-', '+']).split_once(mark) else {
                return false;
            };
            let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_grouped =
                !whole.is_empty() && whole.chars().all(|c| c.is_ascii_digit() || ".,' ".contains(c));
            let is_long = are_digits(whole) && (whole.len() > 3 || whole.starts_with('0'));
            are_digits(fraction) && is_grouped && (fraction.len() != 3 || is_long)
        };
        self.point = self.point || proves('.');
        self.comma = self.comma || proves(',');
        let are_several = text.matches(['.', ',']).count() > 1 && text.contains('.');
        self.has_groups = self.has_groups || (are_several && is_number(BY_POINTS, text, &mut String::new()));
        self.has_points = self.has_points || (text.contains('.') && text.parse::<f64>().is_ok());
    }

    /// Whether a form may be meant: it has a mark that is proven, where one is alone, and makes no whole numbers of those with a
    /// point unless commas are proven.
    fn allow(self, form: NumberForm) -> bool {
        match (self.point, self.comma) {
            (true, false) => form.decimal == '.',
            (false, true) => form.decimal == ',',
            (true, true) => true,
            (false, false) => form.decimal == '.' || !self.has_points,
        }
    }

    /// Whether the numbers with a point are thousands: points group them elsewhere, and commas stand before fractions.
    pub(super) fn are_points_thousands(self) -> bool {
        self.comma && self.has_groups && !self.point
    }
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
        let each = FORMS.map(|form| total(&mut |text| is_number(form, text, &mut plain)));
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
        let mut fits = |form: NumberForm| value.text().is_some_and(|text| is_number(form, text, &mut plain));
        for (fitting, form) in self.fitting.iter_mut().zip(FORMS) {
            *fitting = *fitting && fits(form);
        }
    }

    /// The form that makes all cells numbers, where no other one may be meant in a file with these decimal marks.
    pub(super) fn only(&self, marks: DecimalMarks) -> Option<NumberForm> {
        let fitting = self.fitting.iter().zip(FORMS).filter(|(fits, form)| **fits && marks.allow(*form));
        let mut fitting = fitting.map(|(_, form)| form);
        let first = fitting.next()?;
        let grouped = NumberForm { decimal: '.', thousands: Some(',') };
        let is_doubtful = first.thousands.is_none() && fitting.any(|form| form == grouped);
        (!is_doubtful).then_some(first)
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
        for texts in [
            &["188.216.235.158", "101.102.103.104"][..],
            &["3,5", "red"],
            &["01.02.2024"],
            &["1.5", "1,5"],
            &["2.0.1"],
            &["1,2,3"],
        ] {
            assert_eq!(hint(texts), None, "{texts:?}");
        }
        assert!(NumberForms::default().hint(Path::new("t.csv")).is_none());
    }

    #[test]
    fn a_form_fits_most_rows_but_those_of_a_few_words() {
        let only = |names: &[(&str, f64)]| {
            let names = names.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect();
            let forms = NumberForms::of_most(&names, 2);
            forms.only(DecimalMarks::default()).map(|form| (form.decimal, form.thousands))
        };
        assert_eq!(only(&[("3,5", 1.0), ("4,25", 1.0), ("?", 2.0)]), Some((',', None)));
        assert_eq!(only(&[("3,5", 1.0), ("1.234,5", 1.0), ("?", 1.0), ("-", 1.0)]), Some((',', Some('.'))));
        assert_eq!(only(&[("0,125", 1.0), ("1,375", 1.0), ("?", 1.0)]), Some((',', None)));
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

    #[test]
    fn the_marks_of_a_file_decide_between_forms() {
        let form = |cells: &[&str], elsewhere: &[&str]| {
            let mut marks = DecimalMarks::default();
            cells.iter().chain(elsewhere).for_each(|text| marks.see(text));
            let mut forms = NumberForms::of(Value::Text(cells[0]));
            for text in cells {
                forms.see(Value::Text(text));
            }
            forms.only(marks).map(|form| (form.decimal, form.thousands))
        };
        assert_eq!(form(&["1,234", "12,345"], &[]), None);
        assert_eq!(form(&["1,234", "12,345"], &["0.5"]), Some(('.', Some(','))));
        assert_eq!(form(&["1,234", "12,345"], &["51,5"]), Some((',', None)));
        assert_eq!(form(&["1.234.567"], &["3,14"]), Some((',', Some('.'))));
        // Addresses beside numbers with three decimals.
        assert_eq!(form(&["188.216.235.158"], &["3.125", "7.375"]), None);
        assert_eq!(form(&["188.216.235.158"], &["3.25"]), None);
        let mut marks = DecimalMarks::default();
        for text in ["3,41", "1.387"] {
            marks.see(text);
        }
        assert!(!marks.are_points_thousands());
        marks.see("12.345.678");
        assert!(marks.are_points_thousands());
        marks.see("0.387");
        assert!(!marks.are_points_thousands());
    }
}
