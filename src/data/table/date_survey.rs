//! The dates of a column, in each of the forms that they may be written in.

use super::dates::{DateForm, month_of};
use super::moments::Moments;
use super::number_sample::NumberSample;
use super::shown::ShownCell;
use super::value::Value;

/// A form that no value of so many fits is no longer tried.
const MOST_TRIED: u64 = 1024;

/// The dates of a column in one form.
#[derive(Debug, Clone)]
pub(super) struct FormSurvey {
    pub(super) form: DateForm,
    /// Of the training rows.
    pub(super) moments: Moments,
    /// Whether one of them has a time of day.
    pub(super) has_times: bool,
    /// Some of them for the median.
    pub(super) sample: NumberSample,
    /// How many values of any part are neither numbers nor truth values, and no dates of this form.
    pub(super) misfits: u64,
    /// The first of them.
    pub(super) first_misfit: Option<ShownCell>,
}

impl FormSurvey {
    fn new(form: DateForm) -> Self {
        Self {
            form,
            moments: Moments::default(),
            has_times: false,
            sample: NumberSample::default(),
            misfits: 0,
            first_misfit: None,
        }
    }

    fn add(&mut self, days: f64, weight: f64, sampled: usize) {
        self.moments.add(days, weight);
        self.has_times |= days.fract() != 0.0;
        self.sample.add(days, sampled);
    }

    fn add_misfit(&mut self, cell: impl FnOnce() -> ShownCell) {
        self.misfits += 1;
        self.first_misfit.get_or_insert_with(cell);
    }
}

/// The dates of a column.
#[derive(Debug, Clone)]
pub(super) struct DateSurvey {
    iso: FormSurvey,
    /// The other forms that may be meant; none before the first value.
    others: Option<Vec<FormSurvey>>,
}

impl Default for DateSurvey {
    fn default() -> Self {
        Self { iso: FormSurvey::new(DateForm::Iso), others: None }
    }
}

impl DateSurvey {
    /// Sees a value that is neither a number nor a truth value, and that `cell` shows, of a row to train on with this weight
    /// or of another. `sampled` are the most dates of training rows to keep.
    pub(super) fn see(
        &mut self,
        value: Value<'_>,
        trained: Option<f64>,
        sampled: usize,
        cell: impl Fn() -> ShownCell,
    ) {
        let others = self.others.get_or_insert_with(|| DateForm::OTHERS.map(FormSurvey::new).to_vec());
        // A date of ISO 8601 is one of no other form.
        let iso = value.date(DateForm::Iso);
        match (iso, trained) {
            (Some(days), Some(weight)) => self.iso.add(days, weight, sampled),
            (Some(_), None) => {}
            (None, _) => self.iso.add_misfit(&cell),
        }
        others.retain_mut(|other| {
            let days = if iso.is_none() { value.date(other.form) } else { None };
            match (days, trained) {
                (Some(days), Some(weight)) => other.add(days, weight, sampled),
                (Some(_), None) => {}
                (None, _) => other.add_misfit(&cell),
            }
            other.misfits < MOST_TRIED || other.moments.count > 0.0
        });
    }

    /// Whether no form but that of ISO 8601 is tried any more.
    pub(super) fn are_iso_alone(&self) -> bool {
        self.others.as_ref().is_some_and(Vec::is_empty)
    }

    /// Sees a value of a row to train on that is a date of ISO 8601, once that is the only form.
    pub(super) fn add_iso(&mut self, days: f64, sampled: usize) {
        self.iso.add(days, 1.0, sampled);
    }

    /// Sees a value that is no date, once ISO 8601 is the only form.
    pub(super) fn add_iso_misfit(&mut self) {
        self.iso.misfits += 1;
    }

    /// The dates in the form that fits all `present` values where it is one alone, else those of ISO 8601.
    pub(super) fn of(&self, present: u64) -> &FormSurvey {
        match self.fitting(present).as_slice() {
            [only] => only,
            _ => &self.iso,
        }
    }

    /// The forms besides ISO 8601 that fit all `present` values.
    pub(super) fn fitting(&self, present: u64) -> Vec<&FormSurvey> {
        let others = self.others.iter().flatten();
        others.filter(|form| form.misfits == 0 && form.moments.are_all_of(present)).collect()
    }

    /// The forms of days that most values fit: one, or several that fit equally many.
    pub(super) fn most_frequent(&self) -> Vec<&FormSurvey> {
        self.most_frequent_of(|form| !form.is_period())
    }

    /// As [`Self::most_frequent`], periods among them.
    pub(super) fn most_frequent_of_all(&self) -> Vec<&FormSurvey> {
        self.most_frequent_of(|_| true)
    }

    #[allow(clippy::float_cmp, reason = "counts of rows")]
    fn most_frequent_of(&self, is_asked: impl Fn(DateForm) -> bool) -> Vec<&FormSurvey> {
        let all = || {
            let others = self.others.iter().flatten().filter(|form| is_asked(form.form));
            std::iter::once(&self.iso).chain(others)
        };
        let most = all().fold(0.0f64, |most, form| most.max(form.moments.count));
        all().filter(|form| form.moments.count == most).collect()
    }
}

/// Whether a text has the parts of a date, in whatever form.
pub(super) fn looks_like_a_date(text: &str) -> bool {
    if DateForm::OTHERS.iter().any(|form| form.days(text).is_some()) {
        return true;
    }
    if has_month_name(text) {
        return true;
    }
    let date = text.split(' ').next().unwrap_or(text);
    let Some(separator) = date.chars().find(|c| "./-".contains(*c)) else { return false };
    let parts: Vec<&str> = date.split(separator).collect();
    let numbers = parts.iter().filter_map(|part| part.parse::<u16>().ok().map(|number| (part.len(), number)));
    let numbers: Vec<(usize, u16)> = numbers.collect();
    let fits = matches!(
        numbers.as_slice(),
        [(1..=2, 1..=31), (1..=2, 1..=31), (2 | 4, _)] | [(4, _), (1..=2, 1..=12), (1..=2, 1..=31)]
    );
    fits && parts.len() == 3
}

/// Whether a text is a month's name with a day and a year, in whatever order: `Fri, Jan 06, 2023`.
fn has_month_name(text: &str) -> bool {
    let parts = || text.split([' ', ',', '.', '-', '/']).filter(|part| !part.is_empty()).take(5);
    let number = |part: &str| part.parse::<u16>().ok().map(|number| (part.len(), number));
    let is_day = |part: &str| matches!(number(part), Some((1..=2, 1..=31)));
    let is_year = |part: &str| matches!(number(part), Some((2 | 4, _)));
    let place = |fits: &dyn Fn(&str) -> bool| parts().position(fits);
    let day = place(&is_day);
    let year = parts().enumerate().position(|(place, part)| Some(place) != day && is_year(part));
    place(&|part| month_of(part).is_some()).is_some() && day.is_some() && year.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form, and how many fit.
    #[derive(Debug, PartialEq)]
    struct Seen(DateForm, usize);

    fn form(texts: &[&str]) -> Seen {
        let mut survey = DateSurvey::default();
        for text in texts {
            survey.see(Value::Text(text), Some(1.0), 0, || ShownCell { line: 2, text: (*text).to_owned() });
        }
        let present = texts.len() as u64;
        Seen(survey.of(present).form, survey.fitting(present).len())
    }

    #[test]
    fn a_form_is_known_where_all_values_fit_it_alone() {
        assert_eq!(form(&["01/02/2023", "20/11/2023"]), Seen(DateForm::DaySlashes, 1));
        assert_eq!(form(&["01/02/2023", "11/20/2023"]), Seen(DateForm::MonthSlashes, 1));
        assert_eq!(form(&["01/02/2023", "03/04/2023"]), Seen(DateForm::Iso, 2));
        assert_eq!(form(&["20/11/2023", "11/20/2023"]), Seen(DateForm::Iso, 0));
        assert_eq!(form(&["01.02.2023", "soon"]), Seen(DateForm::Iso, 0));
        assert_eq!(form(&["2023-02-01", "01.02.2023"]), Seen(DateForm::Iso, 0));
    }

    #[test]
    fn one_bad_value_leaves_the_form_that_most_fit() {
        let mut survey = DateSurvey::default();
        for (line, text) in (2..).zip(["01.02.2023", "20.11.2023", "soon", "21.11.2023"]) {
            survey.see(Value::Text(text), Some(1.0), 0, || ShownCell { line, text: text.to_owned() });
        }
        let [most] = survey.most_frequent()[..] else { panic!("one form") };
        let bad = ShownCell { line: 4, text: "soon".to_owned() };
        assert_eq!((most.form, most.first_misfit.as_ref()), (DateForm::DayDots, Some(&bad)));
    }

    #[test]
    fn a_time_of_day_is_noticed_wherever_it_stands() {
        let has_times = |texts: &[&str]| {
            let mut survey = DateSurvey::default();
            for text in texts {
                survey.see(Value::Text(text), Some(1.0), 0, || ShownCell { line: 2, text: String::new() });
            }
            survey.of(texts.len() as u64).has_times
        };
        assert!(has_times(&["2023-01-01", "2023-01-02 07:30", "2023-01-03"]));
        assert!(has_times(&["01.01.2023", "20.01.2023 12:00:00", "21.01.2023"]));
        assert!(!has_times(&["2023-01-01 00:00", "2023-01-02"]));
    }

    #[test]
    fn what_may_be_a_date_is_noticed() {
        for date in [
            "20.11.23",
            "11/20/23 3:45 PM",
            "03/04/2023",
            "20-Nov-23",
            "Jan 06, 2023",
            "January 6 2023",
            "Fri, 06 Jan 2023 10:00:00",
            "2023.01.06",
            "2023-Jan-06",
        ] {
            assert!(looks_like_a_date(date), "{date}");
        }
        for other in
            ["1.5", "a/b/c", "192.168.10.1", "2.0.1", "77/88/99", "Jan", "May 12", "dec-a-06", "march on 3"]
        {
            assert!(!looks_like_a_date(other), "{other}");
        }
    }
}
