//! A graph that is being built, node by node.

use rustc_hash::FxHashSet;

use super::proto::{Attribute, Constant, Dim, ElementType, Node, value_info};
use crate::protobuf::Message;

/// The domain of `LabelEncoder`.
const ML: &str = "ai.onnx.ml";

/// A graph that is being built. A value is its name.
#[derive(Default)]
pub(super) struct Graph {
    names: FxHashSet<String>,
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
}

impl Graph {
    /// An empty graph; no value in it gets one of these names.
    pub(super) fn new(reserved: &[&str]) -> Self {
        Self { names: reserved.iter().map(|name| (*name).to_owned()).collect(), ..Self::default() }
    }

    /// An input.
    pub(super) fn input(&mut self, name: &str, kind: ElementType, dims: &[Dim]) -> String {
        self.names.insert(name.to_owned());
        self.inputs.push(value_info(name, kind, dims));
        name.to_owned()
    }

    /// Makes a value an output of this name.
    pub(super) fn output(&mut self, value: &str, name: &str, kind: ElementType, dims: &[Dim]) {
        let node = Node { domain: "", op: "Identity", inputs: &[value], output: name, attributes: &[] };
        self.nodes.push(node.message());
        self.outputs.push(value_info(name, kind, dims));
    }

    /// The value of a standard operator.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        let output = self.unused(op);
        self.nodes.push(Node { domain: "", op, inputs, output: &output, attributes }.message());
        output
    }

    /// `LabelEncoder` of a value.
    pub(super) fn label_encoder(&mut self, input: &str, attributes: &[Attribute]) -> String {
        let output = self.unused("LabelEncoder");
        let node = Node { domain: ML, op: "LabelEncoder", inputs: &[input], output: &output, attributes };
        self.nodes.push(node.message());
        output
    }

    /// A value in another type.
    pub(super) fn cast(&mut self, value: &str, kind: ElementType) -> String {
        self.node("Cast", &[value], &[Attribute::int("to", kind.number())])
    }

    /// A constant, under this name where it is free.
    pub(super) fn constant(&mut self, name: &str, shape: &[usize], elements: &Constant<'_>) -> String {
        let name = self.unused(name);
        self.constants.push(elements.message(&name, shape));
        name
    }

    /// A constant number of f64.
    pub(super) fn double(&mut self, name: &str, number: f64) -> String {
        self.constant(name, &[], &Constant::Doubles(&[number]))
    }

    /// A constant number of f32.
    pub(super) fn float(&mut self, name: &str, number: f32) -> String {
        self.constant(name, &[], &Constant::Floats(&[number]))
    }

    /// A constant list of whole numbers: a shape, axes or indices.
    pub(super) fn ints(&mut self, name: &str, numbers: &[i64]) -> String {
        self.constant(name, &[numbers.len()], &Constant::Ints(numbers))
    }

    /// The graph.
    pub(super) fn message(&self, name: &str) -> Message {
        let list = |graph: Message, field, messages: &[Message]| {
            messages.iter().fold(graph, |graph, message| graph.message(field, message))
        };
        let graph = list(Message::default(), 1, &self.nodes).text(2, name);
        let graph = list(list(graph, 5, &self.constants), 11, &self.inputs);
        list(graph, 12, &self.outputs)
    }

    /// A name that no value has.
    fn unused(&mut self, name: &str) -> String {
        let unused = if self.names.contains(name) {
            let numbered = (self.names.len()..).map(|number| format!("{name}_{number}"));
            numbered.into_iter().find(|name| !self.names.contains(name)).unwrap_or_default()
        } else {
            name.to_owned()
        };
        self.names.insert(unused.clone());
        unused
    }
}
