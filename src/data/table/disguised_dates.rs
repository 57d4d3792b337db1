//! Text that people take for dates and that is read as names: `1950Q1`, `Jan 1990`, `1/31/24`, `01/31/2024 11:00 PM`.

use super::dates::{DateForm, month_of};

const WEEKDAYS: [&str; 14] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// An example of the dates that half or more of these different texts are, the first in order.
pub(super) fn example<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let (mut all, mut dates, mut short, mut first) = (0usize, 0usize, ShortDates::default(), None);
    for name in names {
        all += 1;
        if is_date(name) || short.see(name) {
            dates += 1;
            first = Some(first.map_or(name.as_str(), |first: &str| first.min(name)));
        }
    }
    first.filter(|_| 2 * dates >= all && short.are_dates())
}

/// The largest of the first and of the second numbers of texts such as `1/31/24`.
#[derive(Default)]
struct ShortDates {
    largest: Option<[u8; 2]>,
}

impl ShortDates {
    /// Whether a text is a day, a month and two digits of a year.
    fn see(&mut self, text: &str) -> bool {
        let parts: Vec<&str> = before_time(text.trim()).split('/').collect();
        let [a, b, year] = parts.as_slice() else { return false };
        let (Some(a), Some(b)) = (small(a), small(b)) else { return false };
        let is_one =
            year.len() == 2 && small(year).is_some() && (1..=31).contains(&a) && (1..=31).contains(&b);
        if is_one {
            let [first, second] = self.largest.unwrap_or_default();
            self.largest = Some([first.max(a), second.max(b)]);
        }
        is_one
    }

    /// Whether one of the numbers is always a month and the other goes beyond 12: ratios and scores are none.
    fn are_dates(&self) -> bool {
        self.largest.is_none_or(|[a, b]| (a <= 12) != (b <= 12))
    }
}

/// What makes such a text a date, as words behind a problem.
pub(super) fn way_out(text: &str) -> &'static str {
    if DateForm::all().any(|form| form.is_period() && form.days(text).is_some()) {
        "as a \"date\" in `[data.columns]` each is its first day"
    } else {
        "write them as 2023-11-20"
    }
}

/// Whether a text is a date in a form that is not read, or that is only read where the column is known to have dates.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.trim();
    let is_read = || DateForm::all().any(|form| !form.is_period() && form.days(text).is_some());
    if !text.is_ascii() || !text.bytes().any(|byte| byte.is_ascii_digit()) || is_read() {
        return false;
    }
    let date = before_time(text);
    let tokens: Vec<&str> =
        date.split([' ', ',', '-', '/', '.', ':']).filter(|own| !own.is_empty()).collect();
    is_period(&tokens) || has_month(&tokens) || (has_half_days(text) && is_numbered(date))
}

/// The text before a time of day.
fn before_time(text: &str) -> &str {
    let date =
        text.find(':').map_or(text, |colon| text[..colon].trim_end_matches(|c: char| c.is_ascii_digit()));
    date.trim_end_matches([' ', 'T'])
}

/// Whether a text has a time of day of twelve hours.
fn has_half_days(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.contains(':') && (lower.ends_with("am") || lower.ends_with("pm"))
}

/// Whether these are a year and one of its quarters, weeks or months: `1950Q1`, `Q1 1950`, `2000-W01`, `1990M01`.
fn is_period(tokens: &[&str]) -> bool {
    let part = |text: &str| {
        let number = |most: u8| text[1..].parse().is_ok_and(|number: u8| (1..=most).contains(&number));
        match text.as_bytes().first() {
            Some(b'Q' | b'q') => number(4),
            Some(b'W' | b'w') => number(53),
            // `M3` may be of anything.
            Some(b'M' | b'm') if text.len() == 3 => number(12),
            _ => false,
        }
    };
    match tokens {
        [a, b] => (is_year(a) && part(b)) || (part(a) && is_year(b)),
        [one] => one.split_at_checked(4).is_some_and(|(year, rest)| is_year(year) && part(rest)),
        _ => false,
    }
}

/// Whether these are a month by its name and numbers: `Jan 1990`, `January 02, 2020`, `Mon Jan 2 2020`.
fn has_month(tokens: &[&str]) -> bool {
    let is_month = |own: &&&str| month_of(own).is_some();
    let is_number = |own: &&&str| {
        let ordinal = ["st", "nd", "rd", "th"].into_iter().find_map(|end| own.strip_suffix(end));
        let digits = ordinal.unwrap_or(own);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (months, numbers) = (tokens.iter().filter(is_month).count(), tokens.iter().filter(is_number).count());
    let is_weekday = |own: &&&str| WEEKDAYS.contains(&own.to_ascii_lowercase().as_str());
    let rest = tokens.len() - months - numbers - tokens.iter().filter(is_weekday).count();
    months == 1 && (1..=3).contains(&numbers) && rest == 0
}

/// Whether this is a day, a month and a year, in any order.
fn is_numbered(date: &str) -> bool {
    ['/', '.', '-'].into_iter().any(|separator| {
        let parts: Vec<&str> = date.split(separator).collect();
        let [a, b, c] = parts.as_slice() else { return false };
        (is_year(c) && are_day_and_month(a, b)) || (is_year(a) && are_day_and_month(b, c))
    })
}

fn is_year(text: &str) -> bool {
    text.len() == 4
        && (text.starts_with("19") || text.starts_with("20"))
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of one digit or two.
fn small(text: &str) -> Option<u8> {
    text.parse().ok().filter(|_| text.len() <= 2)
}

/// Whether one of two numbers is a month and the other a day.
fn are_day_and_month(a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (small(a), small(b)) else { return false };
    (1..=12).contains(&a.min(b)) && a.max(b) <= 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATES: &[&str] = &[
        "1950Q1",
        "1950-Q4",
        "Q2 1999",
        "2000-W01",
        "1990M01",
        "Jan 1990",
        "January 02, 2020",
        "Jan-90",
        "Mon Jan 2 2020",
        "2nd Feb 2020",
        "01/02/2020 12:00 AM",
        "2020-01-02 03:04 PM",
    ];
    const OTHERS: &[&str] = &[
        "may",
        "march 3 cars on",
        "1.2.3",
        "10.0.0.1",
        "A1",
        "Q5 1999",
        "1999",
        "12:30",
        "Q1",
        "v1.10.24",
        "99/98/24",
        "20200102",
        "01-Apr-2020",
        "01.02.24",
        "1.1.14",
        "01-01-49",
        "10/10/10",
        "10 may cups",
        "1080 W2",
        "Sep-10mm",
        "31.01.2024 11:00",
        "5 to 10",
        "Sun",
        "3 dec units left",
        "2020-13-40",
        "2000 M3",
    ];

    #[test]
    fn dates_in_other_forms_are_told_from_names_and_numbers() {
        for text in DATES {
            assert!(is_date(text), "{text}");
        }
        for text in OTHERS {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn half_of_the_names_have_to_be_dates() {
        let names = |own: &[&str]| own.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(example(names(&["1950Q2", "1950Q1", "unknown"]).iter()), Some("1950Q1"));
        assert_eq!(example(names(&["Jan 1990", "red", "blue"]).iter()), None);
        assert_eq!(example(names(&[]).iter()), None);
        assert_eq!(example(names(&["1/31/24", "2/1/24"]).iter()), Some("1/31/24"));
        assert_eq!(example(names(&["13/01/20", "01/02/20"]).iter()), Some("01/02/20"));
        assert_eq!(example(names(&["10/10/10", "5/10/10", "3/4/21"]).iter()), None);
        assert_eq!(example(names(&["12/12/17", "20/5/10", "5/20/10"]).iter()), None);
    }
}
