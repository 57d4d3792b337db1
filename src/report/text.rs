//! Escapes and shortens names.

use crate::names::{printable, printable_but};

/// A name for the text and the quoted attributes of HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    entities(&printable(text))
}

/// The same for a text of many lines.
pub(crate) fn escape_lines(text: &str) -> String {
    entities(&printable_but(&text.replace("\r\n", "\n"), |c| c == '\n' || c == '\t'))
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A name of at most `most` characters: the middle goes, as the ends tell runs apart.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let text: Vec<char> = printable(text).chars().collect();
    if text.len() <= most {
        return text.into_iter().collect();
    }
    let front = most.saturating_sub(1) / 3;
    let back = most.saturating_sub(1) - front;
    text[..front].iter().chain(&['…']).chain(&text[text.len() - back..]).collect()
}

/// `val_roc_auc` as "validation ROC AUC".
pub(crate) fn readable(name: &str) -> String {
    let (prefix, rest) = match name.split_once('_') {
        Some(("val", rest)) => ("validation ", rest),
        Some(("train", rest)) => ("training ", rest),
        _ => ("", name),
    };
    match name {
        "lr" => return "learning rate".to_owned(),
        "grad_norm" => return "norm of the gradients".to_owned(),
        "clipped" => return "fraction of updates clipped".to_owned(),
        _ => {}
    }
    if let Some(group) = name.strip_prefix("lr_") {
        return format!("learning rate of group {group}");
    }
    prefix.to_owned() + &rest.split('_').map(spoken).collect::<Vec<_>>().join(" ")
}

/// A word of a metric's name as the report prints it, for example "AUC".
fn spoken(word: &str) -> String {
    match word {
        "r2" => "R²".to_owned(),
        "f1" | "roc" | "auc" | "mcc" | "mse" | "mae" | "rmse" | "mape" => word.to_uppercase(),
        _ => word.to_owned(),
    }
}

/// The names without the folders that all of them begin with.
pub(crate) fn without_shared_folders<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let Some((first, rest)) = names.split_first() else { return Vec::new() };
    // No name may come to nothing.
    let begins = |name: &&str, end: usize| name.len() > end + 1 && name.starts_with(&first[..=end]);
    let shared = first.rmatch_indices('/').find(|(end, _)| names.iter().all(|name| begins(name, *end)));
    let from = shared.filter(|_| !rest.is_empty()).map_or(0, |(end, _)| end + 1);
    names.iter().map(|name| &name[from..]).collect()
}

/// The text with its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let name = "<b a=\"1\" b='2'>&\u{202e}\u{7}\n\u{ffff}é";
        assert_eq!(escape(name), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;\\u{202e}\\u{7}\\n\\u{ffff}é");
        assert_eq!(escape_lines("a = 1\r\n\tb\u{1b}\u{2066}"), "a = 1\n\tb\\u{1b}\\u{2066}");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shorten("short", 8), "short");
        assert_eq!(shorten("runs/mnist-adam-0.01", 10), "run…m-0.01");
        assert_eq!(shorten("runs/mnist-adam-0.01", 10).chars().count(), 10);
    }

    #[test]
    fn shared_folders_are_left_out() {
        assert_eq!(without_shared_folders(&["a/b/adam", "a/b/adamw"]), ["adam", "adamw"]);
        assert_eq!(without_shared_folders(&["a/b/x", "a/c/é"]), ["b/x", "c/é"]);
        assert_eq!(without_shared_folders(&["a/x"]), ["a/x"]);
        assert_eq!(without_shared_folders(&["a/x/", "a/x/"]), ["x/", "x/"]);
        assert_eq!(without_shared_folders(&["é/x", "è/x"]), ["é/x", "è/x"]);
    }

    #[test]
    fn metrics_read_as_words() {
        assert_eq!([readable("val_roc_auc"), readable("lr")], ["validation ROC AUC", "learning rate"]);
        assert_eq!(readable("lr_2"), "learning rate of group 2");
        assert_eq!(capital("élan"), "Élan");
    }
}
