//! A C99 header and source: the network, and of tables the preprocessing, without any library but `<math.h>`.

mod accuracy;
mod check;
mod encode;
mod fields;
mod header;
mod helpers;
mod limits;
mod names;
mod network;
mod numerical;
mod outputs;
mod quantized;
mod source;
mod text;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use super::batch::{TestBatch, takes_missing};
use super::inputs::Inputs;
use super::model::TrainedModel;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::names::counted;
use source::Source;

/// Weights from which on 8 bits are recommended: what small microcontrollers have of flash memory.
const LARGE: usize = 1 << 18;

/// Writes `output` as a header and a source of that name: `NAME.h` and `NAME.c`.
pub(super) fn write(model: &TrainedModel, output: &Path, is_int8: bool) -> Result<Vec<PathBuf>> {
    let [header, source] = places(output)?;
    model.require_no_quantiles("c")?;
    let inputs = Inputs::of(model.preprocessing(), &[]);
    let name = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut written = Source::new(model, &inputs, &fields::prefix(&name), is_int8)?;
    if is_int8 {
        let rounded = quantized::state(model)?;
        written.accuracy = accuracy::sentence(model, &rounded)?;
        // The test batch shows what the source computes.
        model.load(&rounded)?;
    }
    let test = check::text(&written, &TestBatch::new(model, &inputs)?);
    tell_size(&written);
    let file = header.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    files::write(&Local, &header, header::text(&written).as_bytes())?;
    files::write(&Local, &source, written.text(&file, &test).as_bytes()).inspect_err(|_| {
        let _ = fs::remove_file(&header);
    })?;
    Ok(vec![header, source])
}

/// The header and the source.
///
/// # Errors
/// The name has another extension, or a file is there that was not written here.
fn places(output: &Path) -> Result<[PathBuf; 2]> {
    let wrong = |path: &Path, problem: &str| Error::Config(format!("--output {}: {problem}", path.display()));
    let extension = output.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    if extension.is_some_and(|end| end != "c" && end != "h") {
        return Err(wrong(output, "C source is NAME.c and NAME.h; name one of them, or the name alone"));
    }
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        return Err(wrong(output, "a source cannot include a header of this name; choose a plainer one"));
    }
    let places = ["h", "c"].map(|end| output.with_extension(end));
    for place in &places {
        let is_other = |found: String| !found.starts_with(text::MARK);
        if place.is_file() && fs::read_to_string(place).map_or(true, is_other) {
            let problem =
                "this file is there and was not written by export; name a new file, or remove it first";
            return Err(wrong(place, problem));
        }
        files::require_free_or_file(place)?;
    }
    Ok(places)
}

fn tell_size(source: &Source<'_>) {
    let (weights, stack) = (source.weight_bytes, source.stack_bytes);
    let hint = if weights > LARGE && !source.is_int8 { "; --int8 makes them a quarter of that" } else { "" };
    tracing::info!(
        "the weights have {}{hint}; the stack needs about {}",
        counted(weights, "byte"),
        counted(stack, "byte")
    );
}
