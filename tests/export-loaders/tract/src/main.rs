use tract_onnx::prelude::*;

/// The outputs for rows (N, …), by the file's order: `label`, `probabilities`; or `prediction`.
fn predict(model: &str, rows: Tensor) -> TractResult<TVec<TValue>> {
    tract_onnx::onnx()
        .model_for_path(model)?
        .with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), rows.shape()))?
        .into_optimized()?
        .into_runnable()?
        .run(tvec!(rows.into()))
}

/// usage: tract-loader MODEL.onnx ROWS SHAPE…    ROWS are numbers of f32, little-endian
fn main() -> TractResult<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let shape: Vec<usize> = arguments[3..].iter().map(|size| size.parse()).collect::<Result<_, _>>()?;
    let bytes = std::fs::read(&arguments[2])?;
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    for output in predict(&arguments[1], Tensor::from_shape(&shape, &numbers)?)? {
        if output.datum_type() == f32::datum_type() {
            for number in output.to_plain_array_view::<f32>()? {
                println!("{number:e}");
            }
        }
    }
    Ok(())
}
