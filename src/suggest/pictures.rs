//! The config of a folder of pictures.

use super::document::{Document, table};
use super::request::SuggestRequest;
use crate::data::profile::{PicturesProfile, idx_pictures};
use crate::data::split::Part;
use crate::error::Result;
use crate::names::{counted, first_few_by};
use toml::Value;

/// The longest side of a picture that a network of linear layers sees, in pixels.
const SIDE: usize = 32;

/// The config for a folder that has a folder of pictures for each class.
pub(super) fn config(request: &SuggestRequest<'_>) -> Result<String> {
    let profile = PicturesProfile::read(request.data)?;
    let rows = profile.rows();
    let what = format!("{} of {} classes", counted(rows, "picture"), profile.classes.len());
    let mut document = begin(request, &what);
    document.section("data");
    document.set("name", "images", "");
    document.set("path", request.path()?, "relative to this file");
    let [height, width] = profile.size;
    let size = size(profile.size);
    let seen = if profile.is_one_size { "the pictures have" } else { "they differ; the first has" };
    let why = format!("pixels, height and width; {seen} {height} x {width}");
    document.set("size", size.map(|side| i64::try_from(side).unwrap_or(0)).to_vec(), &why);
    let why = if profile.has_colors { "they have colours" } else { "they are grey" };
    document.set("color", profile.has_colors, why);
    let classes = profile.classes.iter().map(|own| format!("{} {}", own.name, own.rows));
    let classes = first_few_by(classes.collect::<Vec<_>>(), ", ");
    if !profile.held_out.contains(&Part::Test) {
        document.set("test", 0.2, "held out, and looked at once, at the end");
    }
    if profile.held_out.contains(&Part::Validation) {
        document
            .note("A folder of the data has the pictures to validate on, by which the best epoch is chosen.");
    } else {
        document.set(
            "validation",
            0.15,
            "the fraction of the remaining rows that is held out to choose the best epoch",
        );
    }
    document.note(&format!("The classes and their pictures: {classes}."));
    recipe(&mut document, rows);
    Ok(document.finish())
}

/// The config for a folder with files in MNIST's format.
pub(super) fn idx_config(request: &SuggestRequest<'_>) -> Result<String> {
    let rows = idx_pictures(request.data)?;
    let mut document = begin(request, &format!("{} in MNIST's format", counted(rows, "picture")));
    document.section("data");
    document.set("name", "mnist", "");
    document.set("path", request.path()?, "relative to this file");
    document.set(
        "normalize",
        table([("mean", Value::from(0.5)), ("std", Value::from(0.5))]),
        "of pixels that are divided by 255",
    );
    document.set(
        "validation",
        0.1,
        "the fraction of the training rows that is held out to choose the best epoch",
    );
    recipe(&mut document, rows);
    Ok(document.finish())
}

fn begin(request: &SuggestRequest<'_>, what: &str) -> Document {
    let mut document = request.begin(what);
    let name = request.name();
    document.note(&format!(
        "descent train {name} trains it, and descent predict RUN --input FOLDER predicts the pictures of a folder."
    ));
    document.set("seed", 1, "decides everything random: weights, order, splits");
    document
}

/// The size of pictures in a network: their own, or smaller.
fn size([height, width]: [usize; 2]) -> [usize; 2] {
    let longest = height.max(width).max(1);
    if longest <= SIDE {
        return [height.max(1), width.max(1)];
    }
    [height, width].map(|side| (side * SIDE / longest).max(1))
}

/// Writes the network for pixels, and its training.
pub(super) fn recipe(document: &mut Document, rows: u64) {
    document.section("model");
    document.set("name", "mlp", "");
    document.set("hidden", vec![256, 128], "");
    document.set("batch_norm", true, "");
    document.set("dropout", 0.2, "against learning pictures by heart");
    document.section("loss");
    document.set("name", "cross_entropy", "");
    document.section("optimizer");
    document.set("name", "adamw", "");
    document.set("lr", 0.001, "");
    document.section("train");
    document.set("batch_size", if rows < 5_000 { 32 } else { 128 }, "larger for more rows");
    document.set(
        "epochs",
        if rows < 20_000 { 60 } else { 20 },
        "an upper limit; early stopping ends the run before",
    );
    document.set(
        "early_stopping",
        table([("patience", Value::from(10))]),
        "the weights of the best epoch are kept",
    );
}
