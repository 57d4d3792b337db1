//! Names: lists of them in messages, their plural, and their order.

/// The most names that a message lists.
const SHOWN: usize = 5;

/// "`a`, `b`" of some names; of many the first five, "and 59995 more".
pub(crate) fn first_few(names: impl IntoIterator<Item = String>) -> String {
    first_few_by(names, ", ")
}

/// As [`first_few`], with another separator.
pub(crate) fn first_few_by(names: impl IntoIterator<Item = String>, separator: &str) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(SHOWN).collect();
    // One more name takes no more room than its count.
    let rest: Vec<String> = names.by_ref().take(1).collect();
    match names.count() {
        0 => shown.extend(rest),
        more => shown.push(format!("and {} more", more + rest.len())),
    }
    shown.join(separator)
}

/// The names as `&str`.
pub(crate) fn as_strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// "1 row", "2 rows", "2 batches": a count with its noun, of which `s` or `es` makes the plural.
pub(crate) fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = match count {
        1 => "",
        // Not so "epochs".
        _ if noun.ends_with("tch") || noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

/// "1 row is", "2 rows are": as [`counted`], with the verb.
pub(crate) fn counted_are(count: impl TryInto<u64>, noun: &str) -> String {
    with_verb(count, noun, ["is", "are"])
}

/// As [`counted`], with the verb for one and for several.
pub(crate) fn with_verb(count: impl TryInto<u64>, noun: &str, [one, several]: [&str; 2]) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", counted(count, noun), if count == 1 { one } else { several })
}

/// A key as TOML writes it.
pub(crate) fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_bare {
        return name.to_owned();
    }
    // A key has one line, which a value need not have.
    let alone = toml::Table::from_iter([(name.to_owned(), toml::Value::from(0))]).to_string();
    alone.trim_end().trim_end_matches(" = 0").to_owned()
}

/// "row 3 (counted from 0)": a row of arrays, which have no lines.
pub(crate) fn numbered_row(number: usize) -> String {
    format!("row {number} (counted from 0)")
}

/// Characters that steer the direction of text or cannot be seen, see UAX #9 and Unicode TR 36, and the
/// non-characters that XML forbids.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with what steers a terminal escaped: control characters, and the marks that turn or hide text.
pub(crate) fn printable(text: &str) -> String {
    printable_but(text, |_| false)
}

/// The same, but for characters that are kept.
pub(crate) fn printable_but(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !is_kept(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A key by which `layer2` comes before `layer10`: the text and the numbers of a name in turn.
pub(crate) fn natural_order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - text);
        parts.push((rest[..text].to_owned(), rest[text..text + digits].parse().unwrap_or(0)));
        rest = &rest[text + digits..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["fold-10", "fold-2", "a", "1-x", "10-x", "2-x", "é"];
        names.sort_by_cached_key(|name| natural_order(name));
        assert_eq!(names, ["1-x", "2-x", "10-x", "a", "fold-2", "fold-10", "é"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "row")), ["0 rows", "1 row", "2 rows"]);
        assert_eq!([1, 2].map(|count| counted_are(count, "row")), ["1 row is", "2 rows are"]);
        assert_eq!([1, 2].map(|count| counted(count, "batch")), ["1 batch", "2 batches"]);
    }

    #[test]
    fn of_many_names_five_are_listed() {
        let names = |count: usize| first_few((0..count).map(|name| name.to_string()));
        assert_eq!(names(0), "");
        assert_eq!(names(2), "0, 1");
        assert_eq!(names(6), "0, 1, 2, 3, 4, 5");
        assert_eq!(names(60_000), "0, 1, 2, 3, 4, and 59995 more");
    }
}
