//! Identifiers: <https://en.cppreference.com/w/c/language/identifier>. Names of data may hold anything.

use rustc_hash::FxHashSet;

/// The most characters that an identifier takes of a name.
const LONGEST: usize = 40;

/// What no identifier may be: the keywords of C and C++, and macros that compilers define in lower case.
const RESERVED: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "concept",
    "const",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "i386",
    "if",
    "inline",
    "int",
    "linux",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "nullptr",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "xor",
];

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: FxHashSet<String>,
}

impl Names {
    /// A name made of `name` that no other has; `fallback` where nothing of it is left.
    pub(super) fn unique(&mut self, name: &str, fallback: &str) -> String {
        self.free(identifier(name, fallback))
    }

    /// An identifier made of `own`, which is one, that no other name has.
    pub(super) fn free(&mut self, own: String) -> String {
        let numbered = (2..).map(|number: u64| format!("{own}_{number}"));
        let free = std::iter::once(own.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(own);
        self.taken.insert(free.clone());
        free
    }
}

/// `name` in lower case as an identifier: what is no letter or digit of ASCII is `_`.
pub(super) fn identifier(name: &str, fallback: &str) -> String {
    let own = part(name);
    match own.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() || RESERVED.contains(&own.as_str()) => {
            format!("{fallback}_{own}")
        }
        Some(_) => own,
    }
}

/// The letters and digits of a name in lower case, with single `_` between them; it may begin with a digit, or be empty.
pub(super) fn part(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    joined.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_valid_and_differ() {
        let mut names = Names::default();
        let of = ["Sepal Length (cm)", "sepal-length_cm", "2019", "int", "東京", "", "grün"];
        let identifiers = of.map(|name| names.unique(name, "column"));
        assert_eq!(
            identifiers,
            [
                "sepal_length_cm",
                "sepal_length_cm_2",
                "column_2019",
                "column_int",
                "column",
                "column_2",
                "gr_n"
            ]
        );
        assert_eq!(names.unique(&"x".repeat(100), "column").len(), 40);
    }
}
