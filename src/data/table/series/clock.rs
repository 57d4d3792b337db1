//! A column that may be the time of a series.

use crate::data::table::dates::DateForm;
use crate::data::table::value::Value;

/// A column that may be the time.
pub(super) struct TimeColumn {
    pub(super) column: usize,
    /// Whether it is known to be the time; else it must hold dates alone.
    pub(super) named: bool,
    /// The times in each form that all dates so far fit; none where they are numbers.
    dates: Vec<FormTimes>,
    numbers: Option<Vec<f64>>,
    /// The line of the first row without a value.
    pub(super) missing: Option<u64>,
}

/// Times as the dates of a column are in one form.
pub(super) struct FormTimes {
    form: DateForm,
    days: Vec<f64>,
}

/// The times of a clock, and the form of their dates where they are dates.
pub(super) struct ReadTimes {
    pub(super) form: Option<DateForm>,
    pub(super) times: Vec<f64>,
}

impl TimeColumn {
    /// A column whose dates have this form, where it is known.
    pub(super) fn new(column: usize, named: bool, form: Option<DateForm>) -> Self {
        let forms = match form {
            Some(form) => vec![form],
            None => DateForm::all().collect(),
        };
        let dates = forms.into_iter().map(|form| FormTimes { form, days: Vec::new() }).collect();
        Self { column, named, dates, numbers: None, missing: None }
    }

    /// Whether its cells name quarters, weeks or months. Another column may name the days.
    pub(super) fn has_periods(&self) -> bool {
        self.numbers.is_none() && self.dates.iter().all(|dates| dates.form.is_period())
    }

    /// The number of times so far.
    pub(super) fn len(&self) -> usize {
        let dates = self.dates.first().map_or(0, |dates| dates.days.len());
        self.numbers.as_ref().map_or(dates, Vec::len)
    }

    /// Takes the cell of the next row.
    pub(super) fn see(&mut self, value: Value<'_>, first: bool) -> Result<(), String> {
        if first && self.named && self.dates.iter().all(|dates| value.date(dates.form).is_none()) {
            if let [only] = self.dates.as_slice() {
                return Err(problem(
                    value,
                    &format!("is no {}, as the run was trained with", only.form.example()),
                ));
            }
            self.numbers = Some(Vec::new());
        }
        if let Some(numbers) = &mut self.numbers {
            let number = value.number().filter(|number| number.is_finite());
            let problem = || problem(value, "is neither a date nor a number");
            return number.map(|number| numbers.push(number)).ok_or_else(problem);
        }
        if matches!(value, Value::Date(_)) {
            // A date of a binary format has every form.
            self.dates.truncate(1);
        }
        let form = if let [only] = self.dates.as_slice() { only.form } else { DateForm::Iso };
        self.dates.retain_mut(|dates| {
            let days = value.date(dates.form);
            dates.days.extend(days);
            days.is_some()
        });
        let problem = || problem(value, &format!("is no {}", form.example()));
        if self.dates.is_empty() { Err(problem()) } else { Ok(()) }
    }

    /// The times; where the dates may be of two forms the reason, which is an error of a column that is the time.
    pub(super) fn finish(mut self) -> Result<ReadTimes, Option<String>> {
        if let Some(times) = self.numbers {
            return Ok(ReadTimes { form: None, times });
        }
        if self.dates.len() > 1 {
            let forms: Vec<&str> = self.dates.iter().map(|dates| dates.form.name()).collect();
            let problem = format!("its dates may be {}; write them as 2023-11-20", forms.join(" or "));
            return Err(self.named.then_some(problem));
        }
        let FormTimes { form, days } = self.dates.pop().ok_or(None)?;
        Ok(ReadTimes { form: Some(form), times: days })
    }
}

fn problem(value: Value<'_>, otherwise: &str) -> String {
    if value == Value::Missing { "is missing; fill it".to_owned() } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str], form: Option<DateForm>) -> Result<ReadTimes, Option<String>> {
        let mut clock = TimeColumn::new(0, true, form);
        for (row, text) in texts.iter().enumerate() {
            clock.see(Value::Text(text), row == 0).map_err(Some)?;
        }
        clock.finish()
    }

    #[test]
    fn times_are_read_in_the_form_that_fits_them_all() {
        let days = read(&["12/11/2023", "13/11/2023"], None).ok().unwrap();
        assert_eq!((days.form, days.times), (Some(DateForm::DaySlashes), vec![19_673.0, 19_674.0]));
        let error = read(&["11/11/2023", "12/11/2023"], None).err().unwrap().unwrap();
        assert!(error.contains("dd/mm/yyyy or mm/dd/yyyy"), "{error}");
        let known = read(&["11/11/2023", "12/11/2023"], Some(DateForm::DaySlashes)).ok().unwrap();
        assert_eq!(known.times, [19_672.0, 19_673.0]);
        assert_eq!(read(&["1", "2"], None).ok().unwrap().times, [1.0, 2.0]);
        assert!(read(&["2023-11-11", "soon"], None).is_err());
    }
}
