//! Words among the numbers or the dates of a column.

use super::ColumnSurvey;
use crate::data::table::dates::DateForm;

impl ColumnSurvey {
    /// The values that are no numbers, of a column in which they were counted and most are.
    pub(in crate::data::table) fn words_among_numbers(&self) -> Vec<String> {
        let is_word = |name: &&String| name.parse::<f64>().is_err();
        if self.lost || !self.is_mixed() || !self.is_mostly_numbers() {
            return Vec::new();
        }
        self.names.keys().filter(is_word).cloned().collect()
    }

    /// The rows of these names.
    pub(in crate::data::table) fn rows_of(&self, names: &[String]) -> f64 {
        names.iter().filter_map(|name| self.names.get(name)).sum()
    }

    /// The values that are no dates of the form that most have, of a column in which they were counted.
    pub(in crate::data::table) fn words_among_dates(&self) -> Vec<String> {
        match self.form_of_most() {
            Some(form) if !self.lost => {
                self.names.keys().filter(|name| form.days(name).is_none()).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether half the values or more are dates of one form.
    pub(in crate::data::table) fn is_mostly_dates(&self) -> bool {
        self.form_of_most().is_some()
    }

    /// The form of dates that half the values or more have.
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    fn form_of_most(&self) -> Option<DateForm> {
        let most_frequent = self.dates.most_frequent();
        let [most] = most_frequent.as_slice() else { return None };
        (2.0 * most.moments.count >= self.present as f64).then_some(most.form)
    }
}
