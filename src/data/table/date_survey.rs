//! What a column has as dates, in each of the forms that they may be written in.

use super::dates::DateForm;
use super::moments::Moments;
use super::value::Value;

/// The dates of a column in one form.
#[derive(Debug, Clone)]
pub(super) struct FormSurvey {
    pub(super) form: DateForm,
    /// Of the training rows.
    pub(super) moments: Moments,
    /// Some of them for the median.
    pub(super) sample: Vec<f64>,
}

impl FormSurvey {
    fn new(form: DateForm) -> Self {
        Self { form, moments: Moments::default(), sample: Vec::new() }
    }

    fn add(&mut self, days: f64, sampled: usize) {
        self.moments.add(days);
        if self.sample.len() < sampled {
            self.sample.push(days);
        }
    }
}

/// The dates of a column.
#[derive(Debug, Clone)]
pub(super) struct DateSurvey {
    iso: FormSurvey,
    /// The other forms that every value so far fits; none before the first value.
    others: Option<Vec<FormSurvey>>,
}

impl Default for DateSurvey {
    fn default() -> Self {
        Self { iso: FormSurvey::new(DateForm::Iso), others: None }
    }
}

impl DateSurvey {
    /// Sees a value that is neither a number nor a truth value. `sampled` are the most dates of training rows to keep.
    pub(super) fn see(&mut self, value: Value<'_>, trained: bool, sampled: usize) {
        if trained && let Some(days) = value.date(DateForm::Iso) {
            self.iso.add(days, sampled);
        }
        let others = self.others.get_or_insert_with(|| DateForm::OTHERS.map(FormSurvey::new).to_vec());
        if others.is_empty() {
            return;
        }
        let Some(text) = value.text() else {
            others.clear();
            return;
        };
        others.retain_mut(|other| {
            let days = other.form.days(text);
            if let (Some(days), true) = (days, trained) {
                other.add(days, sampled);
            }
            days.is_some()
        });
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
        self.others.iter().flatten().filter(|form| form.moments.are_all_of(present)).collect()
    }
}

/// Whether a text has the parts of a date, in whatever form.
pub(super) fn looks_like_a_date(text: &str) -> bool {
    if DateForm::OTHERS.iter().any(|form| form.days(text).is_some()) {
        return true;
    }
    let date = text.split(' ').next().unwrap_or(text);
    let Some(separator) = date.chars().find(|c| "./-".contains(*c)) else { return false };
    let parts: Vec<&str> = date.split(separator).collect();
    let numbers = parts.iter().filter_map(|part| part.parse::<u16>().ok().map(|number| (part.len(), number)));
    let numbers: Vec<(usize, u16)> = numbers.collect();
    matches!(numbers.as_slice(), [(1..=2, 1..=31), (1..=2, 1..=31), (2 | 4, _)]) && parts.len() == 3
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
            survey.see(Value::Text(text), true, 0);
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
    fn what_may_be_a_date_is_noticed() {
        for date in ["20.11.23", "11/20/23 3:45 PM", "03/04/2023", "20-Nov-23"] {
            assert!(looks_like_a_date(date), "{date}");
        }
        for other in ["1.5", "a/b/c", "192.168.10.1", "2.0.1", "77/88/99"] {
            assert!(!looks_like_a_date(other), "{other}");
        }
    }
}
