//! TOML that people write and the parser does not read: what to write instead.

/// The problem with the value at a place where the parser stopped; nothing where the parser's words must do.
pub(super) fn problem(text: &str, byte: usize) -> Option<String> {
    let start = text.get(..byte)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next()?;
    let (key, value) = assignment(line, byte - start)?;
    let (key, shown) = (key.escape_debug(), value.escape_debug());
    if value.starts_with('"') {
        let path = value.trim_matches('"');
        let problem = "a backslash in double quotes begins an escape";
        return (value.contains('\\') && !path.contains('\''))
            .then(|| format!("`{key}` is {value}, and {problem}; write it in single quotes: '{path}'"));
    }
    if ["None", "null", "nil", "NULL"].contains(&value) {
        return Some(format!("`{key}` is {shown}, which TOML does not have; leave the key out"));
    }
    // A value that TOML reads is not what the parser stopped at.
    let right = written(value).filter(|right| right != value)?;
    Some(format!("`{key}` is {shown}, which TOML does not read; write {right}"))
}

/// The key and the value around a place in a line: those of an inline table where it lies in one.
fn assignment(line: &str, at: usize) -> Option<(&str, &str)> {
    // The parser may stop before, within or behind the value.
    let equals = line.get(..at)?.rfind('=').or_else(|| line.find('='))?;
    let key = line[..equals].trim_end().rsplit(['{', ',', ' ']).next()?;
    let rest = line[equals + 1..].trim();
    let value = match rest.chars().next()? {
        '"' => rest.get(..rest[1..].rfind('"')? + 2)?,
        '[' | '{' | '\'' => return None,
        _ => rest.split([' ', '}', '#', ']']).next()?.trim_end_matches(','),
    };
    (!key.is_empty()).then_some((key, value))
}

/// A value as TOML has it.
fn written(value: &str) -> Option<String> {
    let (sign, digits) = value.strip_prefix(['-', '+']).map_or(("", value), |digits| (&value[..1], digits));
    let plain: String = digits.split(',').collect();
    let is_grouped = digits.contains(',') && digits.split(',').skip(1).all(|group| group.len() >= 3);
    let candidate = if is_grouped { plain.as_str() } else { digits };
    let begins = candidate.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if begins && candidate.parse::<f64>().is_ok() {
        let (mantissa, exponent) =
            candidate.find(['e', 'E']).map_or((candidate, ""), |at| candidate.split_at(at));
        let whole = if mantissa.starts_with('.') { format!("0{mantissa}") } else { mantissa.to_owned() };
        let whole = if whole.ends_with('.') { whole + "0" } else { whole };
        let whole = match whole.trim_start_matches('0') {
            rest if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_owned(),
            rest => format!("0{rest}"),
        };
        return Some(format!("{sign}{whole}{exponent}"));
    }
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => return Some("true".to_owned()),
        "false" | "no" | "off" => return Some("false".to_owned()),
        "nan" | "inf" => return None,
        _ => {}
    }
    let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic() || "/~.".contains(c))
        && value.chars().all(|c| c.is_alphanumeric() || "_-./~".contains(c));
    is_word.then(|| format!("\"{value}\""))
}

#[cfg(test)]
mod tests {
    /// The problem that the parser's place leads to.
    fn of(line: &str) -> Option<String> {
        let text = format!("seed = 1\n[train]\n{line}\nepochs = 3\n");
        let error = text.parse::<toml::Table>().unwrap_err();
        super::problem(&text, error.span().unwrap().start)
    }

    #[test]
    fn numbers_and_words_that_toml_does_not_know_have_their_spelling() {
        for (line, key, right) in [
            ("lr = .1", "lr", "write 0.1"),
            ("lr = -.5e-3", "lr", "write -0.5e-3"),
            ("max_time = 5.", "max_time", "write 5.0"),
            ("max_time = 5.   # seconds", "max_time", "write 5.0"),
            ("betas = { first = .9, second = 1 }", "first", "write 0.9"),
            ("lr = 1.e-3", "lr", "write 1.0e-3"),
            ("steps = 1,000", "steps", "write 1000"),
            ("steps = 1,000,000", "steps", "write 1000000"),
            ("steps = 007", "steps", "write 7"),
            ("average = None", "average", "leave the key out"),
            ("average = null", "average", "leave the key out"),
            ("shuffle = True", "shuffle", "write true"),
            ("shuffle = False", "shuffle", "write false"),
            ("name = adam", "name", "write \"adam\""),
            ("path = data/iris.csv", "path", "write \"data/iris.csv\""),
            (r#"path = "C:\users\a.csv""#, "path", r"'C:\users\a.csv'"),
            (r#"path = "D:\data\x.csv""#, "path", r"'D:\data\x.csv'"),
        ] {
            let found = of(line).unwrap_or_default();
            assert!(found.starts_with(&format!("`{key}` is ")) && found.contains(right), "{line}: {found}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_to_the_parser() {
        for line in ["lr = ", "lr 0.1", "hidden = [1, 2", "name = \"adam", "lr = 0.1 0.2", "= 3"] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
