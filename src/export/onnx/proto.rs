//! The messages of an ONNX file by their numbers:
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3>. Zeros are written too: the checker wants an attribute's value.

use crate::protobuf::Message;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    Float,
    Int64,
    String,
    Double,
}

impl ElementType {
    /// Its number in the format.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Float => 1,
            Self::Int64 => 7,
            Self::String => 8,
            Self::Double => 11,
        }
    }
}

/// A size of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dim {
    /// The rows of the batch.
    Batch,
    Size(usize),
}

/// A named option of a node.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    name: &'static str,
    value: AttributeValue,
}

#[derive(Debug, Clone)]
enum AttributeValue {
    Float(f32),
    Int(i64),
    String(String),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Strings(Vec<String>),
}

impl Attribute {
    pub(super) fn float(name: &'static str, value: f32) -> Self {
        Self { name, value: AttributeValue::Float(value) }
    }

    pub(super) fn int(name: &'static str, value: i64) -> Self {
        Self { name, value: AttributeValue::Int(value) }
    }

    pub(super) fn string(name: &'static str, value: &str) -> Self {
        Self { name, value: AttributeValue::String(value.to_owned()) }
    }

    pub(super) fn floats(name: &'static str, value: Vec<f32>) -> Self {
        Self { name, value: AttributeValue::Floats(value) }
    }

    pub(super) fn ints(name: &'static str, value: &[i64]) -> Self {
        Self { name, value: AttributeValue::Ints(value.to_vec()) }
    }

    pub(super) fn strings(name: &'static str, value: Vec<String>) -> Self {
        Self { name, value: AttributeValue::Strings(value) }
    }

    fn message(&self) -> Message {
        let named = Message::default().text(1, self.name);
        match &self.value {
            AttributeValue::Float(value) => named.float(2, *value).number(20, 1),
            AttributeValue::Int(value) => named.number(3, value.cast_unsigned()).number(20, 2),
            AttributeValue::String(value) => named.text(4, value).number(20, 3),
            AttributeValue::Floats(values) => {
                values.iter().fold(named, |message, value| message.float(7, *value)).number(20, 6)
            }
            AttributeValue::Ints(values) => values
                .iter()
                .fold(named, |message, value| message.number(8, value.cast_unsigned()))
                .number(20, 7),
            AttributeValue::Strings(values) => {
                values.iter().fold(named, |message, value| message.text(9, value)).number(20, 8)
            }
        }
    }
}

/// An operation of the graph.
pub(super) struct Node<'a> {
    pub(super) domain: &'a str,
    pub(super) op: &'a str,
    pub(super) inputs: &'a [&'a str],
    pub(super) output: &'a str,
    pub(super) attributes: &'a [Attribute],
}

impl Node<'_> {
    pub(super) fn message(&self) -> Message {
        let inputs = self.inputs.iter().fold(Message::default(), |message, name| message.text(1, name));
        let named = inputs.text(2, self.output).text(3, self.output).text(4, self.op);
        let full = self.attributes.iter().fold(named, |message, one| message.message(5, &one.message()));
        if self.domain.is_empty() { full } else { full.text(7, self.domain) }
    }
}

/// A constant tensor's elements.
pub(super) enum Constant<'a> {
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
    Ints(&'a [i64]),
    Strings(&'a [String]),
}

impl Constant<'_> {
    fn kind(&self) -> ElementType {
        match self {
            Self::Floats(_) => ElementType::Float,
            Self::Doubles(_) => ElementType::Double,
            Self::Ints(_) => ElementType::Int64,
            Self::Strings(_) => ElementType::String,
        }
    }

    /// The tensor of this name and shape.
    pub(super) fn message(&self, name: &str, shape: &[usize]) -> Message {
        let dims = shape.iter().fold(Message::default(), |message, size| message.number(1, *size as u64));
        let typed = dims.number(2, self.kind().number().cast_unsigned());
        let raw = |bytes: Vec<u8>| typed.clone().text(8, name).bytes_field(9, &bytes);
        match self {
            Self::Floats(numbers) => raw(numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Doubles(numbers) => raw(numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Ints(numbers) => raw(numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Strings(texts) => {
                texts.iter().fold(typed.clone(), |message, text| message.text(6, text)).text(8, name)
            }
        }
    }
}

/// An input or output of the graph.
pub(super) fn value_info(name: &str, kind: ElementType, dims: &[Dim]) -> Message {
    let dim = |dim: &Dim| match dim {
        Dim::Batch => Message::default().text(2, "N"),
        Dim::Size(size) => Message::default().number(1, *size as u64),
    };
    let shape = dims.iter().fold(Message::default(), |message, size| message.message(1, &dim(size)));
    let tensor = Message::default().number(1, kind.number().cast_unsigned()).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// An entry of `metadata_props`.
pub(super) struct Property {
    pub(super) key: &'static str,
    pub(super) value: String,
}

/// A whole file: IR version 8, opset 17, ai.onnx.ml 3.
pub(super) fn model(graph: &Message, properties: &[Property]) -> Vec<u8> {
    let opset = |domain: &str, version| Message::default().text(1, domain).number(2, version);
    let model = Message::default()
        .number(1, 8)
        .text(2, env!("CARGO_CRATE_NAME"))
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(8, &opset("", 17))
        .message(8, &opset("ai.onnx.ml", 3))
        .message(7, graph);
    let entry = |property: &Property| Message::default().text(1, property.key).text(2, &property.value);
    properties.iter().fold(model, |model, property| model.message(14, &entry(property))).bytes()
}
