//! The keys of `[data]` that are paths.

use std::path::Path;

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::files;

/// The keys; one of them may also be a fraction.
const KEYS: [&str; 3] = ["path", "test", "cache"];

/// Whether the key with this dotted path may be a path.
pub(super) fn is_path(key: &str) -> bool {
    key.strip_prefix("data.").is_some_and(|key| KEYS.contains(&key))
}

/// Leaves of the paths in `[data]` the names of their files.
pub(super) fn shorten(table: &mut Table) {
    let Some(Value::Table(data)) = table.get_mut("data") else { return };
    // A file of this machine alone.
    data.remove("cache");
    for key in KEYS {
        let Some(Value::String(path)) = data.get_mut(key) else { continue };
        *path = Path::new(path.as_str())
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    }
}

/// Makes the paths in `[data]` absolute: they are relative to `folder`.
pub(super) fn resolve(table: &mut Table, folder: &Path) -> Result<()> {
    let Some(Value::Table(data)) = table.get_mut("data") else { return Ok(()) };
    for key in KEYS {
        let Some(Value::String(path)) = data.get_mut(key) else { continue };
        // A fraction in quotes is an error, which says so.
        if path.is_empty() || (key == "test" && path.trim().parse::<f64>().is_ok()) {
            continue;
        }
        let absolute = files::absolute_in(folder, Path::new(path.as_str()));
        let absolute = absolute.map_err(Error::io("find the current folder for", path.as_str()))?;
        let text = absolute.to_str().ok_or_else(|| {
            let place = absolute.display();
            Error::Config(format!(
                "`data.{key}` is {place}, and a config is UTF-8; move the data or rename the folder"
            ))
        })?;
        text.clone_into(path);
    }
    Ok(())
}
