//! Days, months and years as text.

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day or a month: one digit or two.
pub(super) fn short(digits: &str) -> Option<i8> {
    let fits = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}

/// A year of four digits.
pub(super) fn long(digits: &str) -> Option<i16> {
    let fits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}

/// A year of four digits, or of two: 69 to 99 are 1969 to 1999, as POSIX has it.
pub(super) fn year_of(digits: &str) -> Option<i16> {
    if digits.len() != 2 {
        return long(digits);
    }
    let year = i16::from(short(digits)?);
    Some(if year < 69 { 2000 + year } else { 1900 + year })
}

/// A month by its English name, or the first three letters of it.
pub(in crate::data::table) fn month_of(name: &str) -> Option<i8> {
    let name = name.to_ascii_lowercase();
    let fits = |month: &&str| name == **month || (name.len() == 3 && month.starts_with(&name));
    let place = MONTHS.iter().position(fits)?;
    i8::try_from(place + 1).ok()
}

/// The name of a month, as long and in the case as another one.
pub(in crate::data::table) fn month_like(like: &str, month: i8) -> String {
    let name =
        usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or("january");
    // "May" may be short or long.
    let name = if like.len() > 3 { name } else { &name[..3] };
    match like {
        upper if upper.chars().all(char::is_uppercase) => name.to_uppercase(),
        lower if lower.chars().all(char::is_lowercase) => name.to_owned(),
        _ => name[..1].to_uppercase() + &name[1..],
    }
}
