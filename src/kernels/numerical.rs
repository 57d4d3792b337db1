//! The parts of embeddings of numerical features (Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>): each number
//! becomes the components of a periodic function or of a piecewise-linear one, and a linear layer of its own feature reads
//! them.

pub mod binned_linear;
pub mod grouped_linear;
pub mod periodic;
pub mod piecewise_linear;
mod turn;
