//! Errors of the command line: a flag that is a key of the config is answered with `--set`.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::config::key_of_flag;

/// The error of these arguments, with `--set` in place of clap's tip where the flag that is unknown is a key of the config.
pub(super) fn explain(mut error: Error, command: &Command, arguments: &[String]) -> Error {
    if let Some(tip) = tip(&error, command, arguments) {
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn tip(error: &Error, command: &Command, arguments: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument || !takes_settings(command, arguments) {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = flag.split('=').next().unwrap_or_default();
    let key = key_of_flag(flag.strip_prefix("--")?)?;
    let setting = shell_word(&format!("{key}={}", value_of(flag, arguments).unwrap_or("VALUE")));
    Some(format!("`{key}` is a key of the config; use `--set {setting}`"))
}

/// Whether the command that the arguments name has `--set`.
fn takes_settings(command: &Command, arguments: &[String]) -> bool {
    let named = arguments.iter().fold(command, |own, word| own.find_subcommand(word).unwrap_or(own));
    named.get_arguments().any(|argument| argument.get_long() == Some("set"))
}

/// The value that follows a flag.
fn value_of<'a>(flag: &str, arguments: &'a [String]) -> Option<&'a str> {
    let own = |argument: &'a String| argument.strip_prefix(flag)?.strip_prefix('=');
    if let Some(value) = arguments.iter().find_map(own) {
        return Some(value);
    }
    let at = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(at + 1).map(String::as_str).filter(|value| !value.starts_with("--"))
}

/// The text as a word of a shell, in quotes where a shell would read more than letters in it.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-+=/:,".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
