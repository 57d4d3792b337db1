//! Words among the numbers or the dates of a column.

use super::ColumnSurvey;

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
