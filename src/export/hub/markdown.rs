//! Texts of data in Markdown: names of columns and classes may hold anything.

/// A text that Markdown shows as it is, in one line. An underscore within a word is no mark.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_within = last.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '_' if is_within => plain.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '$' | '&' => {
                plain.extend(['\\', c]);
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
        last = c;
    }
    plain
}

/// A table: its head and rows, all cells ready.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let names: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&names) + &line(&rule) + &rows
}

/// A block of code.
pub(super) fn code(language: &str, text: &str) -> String {
    // Text of the data may hold a fence.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_format() {
        assert_eq!(plain("a|b_c _d_\n<i>"), r"a\|b_c \_d\_ \<i\>");
        assert_eq!(code("py", "x = '```'\n"), "````py\nx = '```'\n````\n");
    }
}
