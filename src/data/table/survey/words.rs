//! Words among the numbers or the dates of a column.

use super::ColumnSurvey;
use crate::data::table::number_forms::NumberForms;
use crate::data::table::read::NumberForm;

/// The most words of a column of numbers or dates that are taken for missing values.
pub(in crate::data::table) const MOST_WORDS: usize = 3;

impl ColumnSurvey {
    /// The values that are no numbers in a file's form of them, of a column in which they were counted and most are.
    pub(in crate::data::table) fn words_among_numbers(&self, form: Option<NumberForm>) -> Vec<String> {
        if self.lost || !self.is_mixed() || !self.is_mostly_numbers() {
            return Vec::new();
        }
        let mut plain = String::new();
        let mut is_word = |name: &&String| match form {
            Some(form) => form.cell(name, &mut plain).number().is_none(),
            None => name.parse::<f64>().is_err(),
        };
        self.names.keys().filter(|name| is_word(name)).cloned().collect()
    }

    /// The ways of writing numbers, besides the table's own, in which all cells are some, or all but those of a few words.
    pub(in crate::data::table) fn forms_of_most(&self) -> NumberForms {
        let has_numbers = self.numbers.count > 0.0 && self.is_mostly_numbers();
        if self.lost || has_numbers || !self.number_forms.are_none() {
            return self.number_forms.clone();
        }
        NumberForms::of_most(&self.names, MOST_WORDS)
    }

    /// The rows of these names.
    pub(in crate::data::table) fn rows_of(&self, names: &[String]) -> f64 {
        names.iter().filter_map(|name| self.names.get(name)).sum()
    }

    /// The values that are no dates of the form that half the values or more have, of a column in which they were counted.
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    pub(in crate::data::table) fn words_among_dates(&self) -> Vec<String> {
        let most_frequent = self.dates.most_frequent();
        let [most] = most_frequent.as_slice() else { return Vec::new() };
        if self.lost || 2.0 * most.moments.count < self.present as f64 {
            return Vec::new();
        }
        self.names.keys().filter(|name| most.form.days(name).is_none()).cloned().collect()
    }
}
