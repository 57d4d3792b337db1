//! The weights of a run in candle. `scripts/check-loaders.py` puts the program of a run's model card in this place.

use candle_core::{Device, Result, safetensors};

fn main() -> Result<()> {
    for (name, tensor) in safetensors::load("model.safetensors", &Device::Cpu)? {
        println!("{name} {tensor:?}");
    }
    Ok(())
}
