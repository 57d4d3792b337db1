use super::*;
use crate::nn::{CellTensors, EmbeddingTable, NumericalOp};
use crate::registry::FromTable;

/// The names and shapes that a state dict has by the description of its network alone.
fn tensors(op: Op) -> Vec<(String, Vec<usize>)> {
    match op {
        Op::Linear { weight, bias, inputs, outputs, .. } => {
            vec![(weight, vec![outputs, inputs]), (bias, vec![outputs])]
        }
        Op::BatchNorm { weight, bias, running_mean, running_var, num_batches_tracked, channels, .. } => {
            let vectors = [weight, bias, running_mean, running_var].map(|name| (name, vec![channels]));
            vectors.into_iter().chain([(num_batches_tracked, Vec::new())]).collect()
        }
        Op::LayerNorm { weight, bias, width, .. } => vec![(weight, vec![width]), (bias, vec![width])],
        Op::Numerical { embedding, .. } => of_numerical(embedding),
        Op::EnsembleScale { weight, members, width } => vec![(weight, vec![members, width])],
        Op::EnsembleLinear { weight, bias, sizes: [k, inputs, outputs] } => {
            vec![(weight, vec![k, inputs, outputs]), (bias, vec![k, outputs])]
        }
        Op::Scale { weight, width } | Op::ParametricActivation { weight, width, .. } => {
            vec![(weight, vec![width])]
        }
        Op::Recurrent { kind, features, hidden, directions, .. } => {
            let rows = kind.gates() * hidden;
            let cell = |CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }| {
                let weights = [(weight_ih, vec![rows, features]), (weight_hh, vec![rows, hidden])];
                weights.into_iter().chain([(bias_ih, vec![rows]), (bias_hh, vec![rows])])
            };
            directions.into_iter().flat_map(cell).collect()
        }
        Op::Embeddings { tables, .. } => tables
            .into_iter()
            .map(|EmbeddingTable { weight, names, length }| (weight, vec![names, length]))
            .collect(),
        Op::Activation(_) | Op::Dropout { .. } | Op::TimeMajor | Op::LastStep | Op::MeanOfSteps => Vec::new(),
    }
}

/// The tensors of an embedding.
fn of_numerical(embedding: NumericalOp) -> Vec<(String, Vec<usize>)> {
    match embedding {
        NumericalOp::Periodic { weight, bias, linear: [own, more], sizes: [f, k, d], .. } => {
            let components = if bias.is_some() { k } else { 2 * k };
            let waves = [Some(weight), bias].into_iter().flatten().map(|name| (name, vec![f, k]));
            waves.chain([(own, vec![f, components, d]), (more, vec![f, d])]).collect()
        }
        NumericalOp::PiecewiseLinear { slopes, offsets, linear0, weight, bias, sizes: [f, b, d], .. } => {
            let vectors = linear0.into_iter().flatten().chain(bias).map(|name| (name, vec![f, d]));
            let buffers = [slopes, offsets].map(|name| (name, vec![f, b]));
            vectors.chain(buffers).chain([(weight, vec![f, b, d])]).collect()
        }
    }
}

/// A model of each kind of layer, by its config, and the rows that it reads.
const MODELS: [(&str, &[usize]); 14] = [
    ("name = 'mlp'\nhidden = [7]\nensemble = 3", &[5]),
    ("name = 'mlp'\nhidden = [7]\n[numerical]\nname = 'periodic'", &[5]),
    (
        "name = 'mlp'\nhidden = [7]\nfront_scale = true\n[numerical]\nname = 'periodic'\nvariant = 'pbld'",
        &[5],
    ),
    ("name = 'mlp'\nhidden = [7]\n[numerical]\nname = 'piecewise_linear'\nn_bins = 4", &[5]),
    ("name = 'linear'", &[5]),
    ("name = 'mlp'\nhidden = [7, 6]\ndropout = 0.1", &[5]),
    ("name = 'mlp'\nhidden = []\nlayer_names = 'fc'", &[5]),
    ("name = 'mlp'\nhidden = [7]\nbatch_norm = true", &[5]),
    ("name = 'mlp'\nhidden = [7]\nlayer_norm = true\nactivation = 'tanh'", &[5]),
    (
        "name = 'mlp'\nhidden = [7]\nfront_scale = true\nparametric_activation = true\nactivation = 'mish'",
        &[5],
    ),
    (
        "name = 'mlp'\nhidden = [7]\nparametrization = 'ntk'\nparametric_activation = true\nbatch_norm = true",
        &[5],
    ),
    ("name = 'rnn'\nhidden_size = 4\nnum_layers = 2\nnonlinearity = 'relu'", &[3, 5]),
    ("name = 'lstm'\nhidden_size = 4\nnum_layers = 2\nbidirectional = true\ndropout = 0.2", &[3, 5]),
    ("name = 'gru'\nhidden_size = 4\nhead = 'mean'", &[3, 5]),
];

fn build(config: &str, row: &[usize], embeddings: &[EmbeddingSize]) -> Network {
    let model = Model::from_table(config.parse().unwrap()).unwrap();
    let (numerical, columns) = (None, None);
    let shape = NetworkShape { row, features: 5, embeddings, numerical, columns, outputs: 2 };
    let options = NetworkOptions::new(DType::F64, &Device::Cpu);
    Network::with_embeddings(&model, shape, 1, options).unwrap()
}

#[test]
fn the_description_of_every_model_names_its_whole_state_dict() {
    let described = |name: &&str| MODELS.iter().any(|(config, _)| config.contains(&format!("'{name}'")));
    assert!(Model::NAMES.iter().all(described), "a model is not described");
    for (config, row) in MODELS {
        for embeddings in [Vec::new(), vec![(9, 3).into(), (4, 2).into()]] {
            let network = || build(config, row, &embeddings);
            for network in [network(), Network::averaged(vec![network(), network()], first).unwrap()] {
                let ops = network.describe_members().into_iter().flatten();
                let mut told: Vec<_> = ops.flat_map(tensors).collect();
                let state = network.params().state().into_iter();
                let mut own: Vec<_> =
                    state.map(|(name, tensor)| (name.to_owned(), tensor.dims().to_vec())).collect();
                told.sort();
                own.sort();
                assert_eq!(told, own, "{config}");
            }
        }
    }
}

#[test]
fn the_shapes_between_the_layers_are_those_of_the_values() {
    // An ensemble makes several rows of one.
    for (config, row) in MODELS.into_iter().filter(|(config, _)| !config.contains("ensemble")) {
        let network = build(config, row, &[]);
        let xs = Tensor::zeros([&[2], row].concat(), DType::F64, &Device::Cpu).unwrap();
        let (mut value, mut shape) = (xs, Shape::new(row));
        for layer in &network.layers {
            value = layer.forward(&value, &mut Mode::Eval).unwrap();
            shape = layer.output_shape(&shape).unwrap();
            // Between recurrent layers values are time-major.
            let mut dims = value.dims().to_vec();
            let batch = dims.remove(dims.len() - 2);
            assert_eq!((dims.as_slice(), batch), (shape.dims(), 2), "{config}, {}", layer.name());
        }
    }
}

#[test]
fn an_ensemble_gives_the_values_of_each_member() {
    let network = build("name = 'mlp'\nhidden = [7]\nensemble = 3", &[5], &[]);
    assert_eq!(network.output_shape(&Shape::new(&[5])).unwrap().dims(), [3, 2]);
    let xs = Tensor::zeros((4, 5), DType::F64, &Device::Cpu).unwrap();
    assert_eq!(network.forward(&xs).unwrap().dims(), [4, 3, 2]);
}

#[test]
fn a_row_that_a_layer_does_not_read_is_an_error() {
    let network = build("name = 'mlp'\nhidden = [7]", &[5], &[]);
    let error = network.output_shape(&Shape::new(&[4])).unwrap_err().to_string();
    assert!(error.contains("`layer1` reads 5 features") && error.contains("[4]"), "{error}");
    let network = build("name = 'gru'\nhidden_size = 4", &[3, 5], &[]);
    assert!(network.output_shape(&Shape::new(&[5])).is_err());
}
