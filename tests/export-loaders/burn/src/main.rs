use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::activation::{relu, softmax};
use burn_core::tensor::{Device, Tensor, TensorData};
use burn_nn::{Linear, LinearConfig};
use burn_store::{ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};

/// `hidden = [256]` on pictures of 784 pixels and 10 classes; the fields are called as the layers of the file.
#[derive(Module, Debug)]
struct Mlp {
    layer1: Linear,
    layer2: Linear,
}

impl Mlp {
    fn load(model: &str, device: &Device) -> Result<Self, Box<dyn std::error::Error>> {
        let layer1 = LinearConfig::new(784, 256).init(device);
        let mut mlp = Self { layer1, layer2: LinearConfig::new(256, 10).init(device) };
        // burn keeps weights as (inputs, outputs), which the adapter does.
        let mut store = SafetensorsStore::from_file(model).with_from_adapter(PyTorchToBurnAdapter);
        mlp.load_from(&mut store)?;
        Ok(mlp)
    }

    /// The probabilities (N, 10) of rows (N, 784), scaled and shifted as `data.toml` says.
    fn predict(&self, rows: Tensor<2>) -> Tensor<2> {
        softmax(self.layer2.forward(relu(self.layer1.forward(rows))), 1)
    }
}

/// usage: burn-loader MODEL.safetensors ROWS N 784    ROWS are numbers of f32, little-endian
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let shape: Vec<usize> = arguments[3..].iter().map(|size| size.parse()).collect::<Result<_, _>>()?;
    let bytes = std::fs::read(&arguments[2])?;
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let device = Device::default();
    let rows = Tensor::<2>::from_data(TensorData::new(numbers, shape), &device);
    for number in Mlp::load(&arguments[1], &device)?.predict(rows).into_data().try_to_vec::<f32>()? {
        println!("{number:e}");
    }
    Ok(())
}
