use super::*;

fn params() -> Params {
    let mut params = Params::new(1, DType::F32, &Device::Cpu);
    params.param("w", &[2, 3], &Init::named("normal").unwrap()).unwrap();
    params.buffer("n", &Tensor::new(5i64, &Device::Cpu).unwrap()).unwrap();
    params
}

#[test]
fn loading_is_all_or_nothing_and_lists_what_does_not_fit() {
    let params = params();
    let before = params.copy().unwrap();
    let mut state = BTreeMap::new();
    state.insert("w".to_owned(), Tensor::zeros((3, 2), DType::F32, &Device::Cpu).unwrap());
    state.insert("x".to_owned(), Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap());
    let error = params.load(&state).unwrap_err().to_string();
    assert!(error.contains("`w` is [3, 2]") && error.contains("`x` is not in the model"), "{error}");
    let after = params.copy().unwrap();
    assert_eq!(before["w"].to_vec2::<f32>().unwrap(), after["w"].to_vec2::<f32>().unwrap());
    state.remove("x");
    state.insert("w".to_owned(), Tensor::ones((2, 3), DType::F64, &Device::Cpu).unwrap());
    params.load(&state).unwrap();
    let after = params.copy().unwrap();
    assert_eq!(after["w"].to_vec2::<f32>().unwrap(), [[1.0; 3]; 2]);
    assert_eq!(after["n"].to_scalar::<i64>().unwrap(), 0);
}
