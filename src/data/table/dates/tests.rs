//! Dates in every form.

use super::*;

#[test]
fn iso_dates_are_days_since_1970() {
    let days = |text| DateForm::Iso.days(text);
    assert_eq!(days("1970-01-02"), Some(1.0));
    assert_eq!(days("1970/01/02"), Some(1.0));
    assert_eq!(days("1969-12-31T12:00:00"), Some(-0.5));
    assert_eq!(days("2000-03-01 06:00"), Some(11_017.25));
    assert_eq!(days("1970-01-02T02:00:00+02:00"), Some(1.0));
    assert_eq!(days("1970-01-02T00:00:00Z"), Some(1.0));
    // numpy.datetime64("9999-12-31").astype(int) is 2932896.
    assert_eq!(days("9999-12-31"), Some(2_932_896.0));
    assert_eq!(days("9999-12-31T12:00:00Z"), Some(2_932_896.5));
    assert_eq!(days("0001-01-01"), Some(-719_162.0));
    assert_eq!(days("2024-02-29"), days("2024-02-29T00:00"));
    // numpy.datetime64("1980-02", "D").astype(int) is 3683, and pandas.to_datetime("1980-02") the same day.
    assert_eq!(days("1980-02"), Some(3_683.0));
    for no in [
        "2023-02-29",
        "2023-00-10",
        "1970-01/02",
        "1970-01-02x",
        "1970",
        "19700102",
        "1970-13-01",
        "12.5",
        "monday",
        "1970-1",
        "1970-13",
        "1970-00",
        "1970-1a",
        "1970.01",
        "2011/12",
        "70-01",
        "01-1970",
        "",
    ] {
        assert_eq!(days(no), None, "{no}");
    }
}

#[test]
fn a_form_reads_its_own_dates_alone() {
    // numpy.datetime64("2023-11-20").astype(int) is 19681.
    for (form, text) in [
        (DateForm::DayDots, "20.11.2023"),
        (DateForm::DaySlashes, "20/11/2023"),
        (DateForm::MonthSlashes, "11/20/2023"),
        (DateForm::DayDashes, "20-11-2023"),
        (DateForm::MonthDashes, "11-20-2023"),
        (DateForm::MonthName, "20-Nov-23"),
        (DateForm::MonthName, "20 november 2023"),
    ] {
        for other in DateForm::OTHERS {
            assert_eq!(other.days(text), (other == form).then_some(19_681.0), "{text} as {}", other.name());
        }
        let quarter = form.days(&format!("{text} 06:00"));
        assert_eq!(quarter, Some(19_681.25), "{text}");
        assert_eq!(DateForm::Iso.days(text), None);
    }
    assert_eq!(DateForm::DaySlashes.days("1/2/1970"), Some(31.0));
    assert_eq!(DateForm::MonthName.days("1-Jan-70"), Some(0.0));
    for no in ["20.11.23", "31.02.2024", "1.2.3", "192.168.0.1", "20.11.2023 x", "+1.11.2023", "20-No-2023"] {
        assert!(DateForm::OTHERS.iter().all(|form| form.days(no).is_none()), "{no}");
    }
}

const NO_PERIODS: &[&str] = &[
    "1981 Q5",
    "1981 Q0",
    "1981 Q",
    "1981Q01",
    "Q11981",
    "81 Q1",
    "2021 W53",
    "1991 W6",
    "1991 W00",
    "1960M13",
    "1960M1",
    "1960 Janus",
    "1960 Jan 1",
    "Jan-60",
    "1960  Jan",
    "1080 W2",
    "March 3",
    "19607",
    "1960 Q1 12:00",
];

#[test]
fn a_period_is_its_first_day() {
    // numpy.datetime64("1981-04") etc. as days, and datetime.date.fromisocalendar(1991, 6, 1) is 1991-02-04.
    for (form, text, first) in [
        (DateForm::Period(Period::Quarter), "1981 Q2", "1981-04-01"),
        (DateForm::Period(Period::Quarter), "1981Q4", "1981-10-01"),
        (DateForm::Period(Period::Quarter), "q1-1981", "1981-01-01"),
        (DateForm::Period(Period::Week), "1991 W06", "1991-02-04"),
        (DateForm::Period(Period::Week), "2020-W53", "2020-12-28"),
        (DateForm::Period(Period::Week), "2025W01", "2024-12-30"),
        (DateForm::Period(Period::Month), "1960 Jan", "1960-01-01"),
        (DateForm::Period(Period::Month), "1960-sep", "1960-09-01"),
        (DateForm::Period(Period::Month), "September 1960", "1960-09-01"),
        (DateForm::Period(Period::Month), "1990M12", "1990-12-01"),
    ] {
        for other in DateForm::OTHERS {
            let days = if other == form { DateForm::Iso.days(first) } else { None };
            assert_eq!(other.days(text), days, "{text} as {}", other.name());
        }
        assert_eq!(DateForm::Iso.days(text), None);
    }
    for no in NO_PERIODS {
        assert!(DateForm::OTHERS.iter().all(|form| form.days(no).is_none()), "{no}");
    }
}

#[test]
fn days_are_written_as_dates() {
    assert_eq!(written(2_932_896.0), "9999-12-31");
    assert_eq!(written(-0.5), "1969-12-31 12:00:00");
    assert_eq!(written(19_681.25), "2023-11-20 06:00:00");
    assert_eq!(written_iso(11_017.25), "2000-03-01T06:00:00");
    assert_eq!(written(1e9), "1000000000 days after 1970-01-01");
}
