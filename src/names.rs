//! Lists of names in messages.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_five_are_listed() {
        let names = |count: usize| first_few((0..count).map(|name| name.to_string()));
        assert_eq!(names(0), "");
        assert_eq!(names(2), "0, 1");
        assert_eq!(names(6), "0, 1, 2, 3, 4, 5");
        assert_eq!(names(60_000), "0, 1, 2, 3, 4, and 59995 more");
    }
}
