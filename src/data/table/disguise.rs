//! Text that would be numbers but for currency signs, `%`, separators or units: `$1,234.56`, `45.2%`, `12.3 kg`.

use super::number_forms::is_number_of_any_form;

/// Signs that stand before a number, and the sign of a debit in front of them.
const SIGNS: [char; 9] = ['$', '€', '£', '¥', '₹', '<', '>', '~', ' '];
/// The longest unit, in bytes.
const LONGEST_UNIT: usize = 8;
/// More units than this in a column are no units: seats `12A` to `12F`.
const MOST_UNITS: usize = 3;

/// A text that is a number with something around it.
struct Disguised<'a> {
    /// What is behind the number.
    unit: &'a str,
    /// Whether the text is the number alone.
    is_plain: bool,
}

/// The text as a number in disguise, if it is one.
fn disguised(text: &str) -> Option<Disguised<'_>> {
    let minus = text.strip_prefix('-').unwrap_or(text);
    let number = minus.trim_start_matches(SIGNS);
    // What a number may be grouped by, and its own sign behind the currency's.
    let is_part = |c: char| c.is_ascii_digit() || ".,-' \u{a0}".contains(c);
    let end = number.find(|c: char| !is_part(c)).unwrap_or(number.len());
    let (number, unit) = number.split_at(end);
    let (number, unit) = (number.trim(), unit.trim());
    let is_unit =
        unit.len() <= LONGEST_UNIT && unit.chars().all(|c| c.is_alphabetic() || "$€£¥₹%/°²³".contains(c));
    (is_unit && is_number_of_any_form(number))
        .then(|| Disguised { unit, is_plain: text.parse::<f64>().is_ok() })
}

/// An example of the numbers in disguise that half or more of these different texts are; nothing where they are fewer, or
/// more often codes than units.
pub(super) fn example<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let (mut all, mut numbers, mut first, mut units) = (0usize, 0usize, None, Vec::new());
    for name in names {
        all += 1;
        let Some(Disguised { unit, is_plain }) = disguised(name) else { continue };
        numbers += 1;
        let is_unit = unit.chars().any(char::is_alphabetic);
        if is_unit && units.len() <= MOST_UNITS && !units.contains(&unit) {
            units.push(unit);
        }
        if !is_plain {
            first = Some(first.map_or(name.as_str(), |first: &str| first.min(name)));
        }
    }
    // Few numbers of each unit are names: `36 months` and `60 months`, `1st` to `3rd`.
    let are_units = units.len() <= MOST_UNITS && (units.is_empty() || numbers > 3 * units.len());
    first.filter(|_| are_units && 2 * numbers >= all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_of(names: &[&str]) -> Option<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        example(names.iter()).map(str::to_owned)
    }

    #[test]
    fn numbers_with_signs_and_units_are_told_from_words() {
        for text in [
            "12 km",
            "$5",
            "30%",
            "-3 °C",
            "12.5 kg/m²",
            "€ 1.5",
            "$1,234.56",
            "-$12.00",
            "1.234,50 €",
            "$-3",
        ] {
            assert!(disguised(text).is_some_and(|own| !own.is_plain), "{text}");
        }
        for text in ["red", "-", "km 12", "3 of them all", "2024-01-02", "", "192.168.1.1", "01.02.2024", "$"]
        {
            assert!(disguised(text).is_none(), "{text}");
        }
        assert!(disguised("12").is_some_and(|own| own.is_plain));
    }

    #[test]
    fn a_column_of_numbers_in_disguise_is_told_from_one_of_codes() {
        assert_eq!(example_of(&["$7.00", "$1,234.56", "n/a"]).as_deref(), Some("$1,234.56"));
        assert_eq!(example_of(&["5%", "12%", "7%"]).as_deref(), Some("12%"));
        assert_eq!(example_of(&["1 kg", "2 kg", "3.5 kg", "4 kg"]).as_deref(), Some("1 kg"));
        for names in [
            &["36 months", "60 months"][..],
            &["1A", "1B", "1C", "1D", "2A", "2B", "2C", "2D"],
            &["1st", "2nd", "3rd", "4th", "5th"],
            &["1", "2", "3"],
            &["$5", "red", "blue"],
            &[],
        ] {
            assert_eq!(example_of(names), None, "{names:?}");
        }
    }
}
