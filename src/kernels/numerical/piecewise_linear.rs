//! Numbers as the part of each bin that lies below them: `PiecewiseLinearEncoding` of `rtdl_num_embeddings`.

use candle_core::{Device, Result, Tensor};

use crate::kernels::autograd;

/// The bins of several features: the components of a number are `x · slopes + offsets`, each (F, B), within 0 and 1.
///
/// The last bin of a feature is its last component, the others begin with the first, and components between them are 0.
/// Beyond the edges the first and the last bin go on. A slope of 0 is no bin.
#[derive(Debug, Clone)]
pub struct Bins {
    /// One over the widths.
    pub slopes: Tensor,
    /// The terms that make the lower edges 0.
    pub offsets: Tensor,
}

/// Slopes and offsets, (F, B) both, of bins with these edges: for each feature two or more in order, B + 1 at most.
pub fn fit(edges: &[Vec<f64>], components: usize) -> Result<[Tensor; 2]> {
    let count = edges.len() * components;
    let (mut slopes, mut offsets) = (vec![0.0; count], vec![0.0; count]);
    for (feature, edges) in edges.iter().enumerate() {
        let (start, own) = (feature * components, edges.len() - 1);
        for bin in 0..own {
            let place = if bin + 1 == own { start + components - 1 } else { start + bin };
            let width = edges[bin + 1] - edges[bin];
            (slopes[place], offsets[place]) = (1.0 / width, -edges[bin] / width);
        }
    }
    let matrix = |numbers| Tensor::from_vec(numbers, (edges.len(), components), &Device::Cpu);
    Ok([matrix(slopes)?, matrix(offsets)?])
}

impl Bins {
    /// The components of xs (N, F): (N, F, B).
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let Self { slopes, offsets } = self;
        let raw = xs.unsqueeze(2)?.broadcast_mul(&slopes.unsqueeze(0)?)?;
        let raw = raw.broadcast_add(&offsets.unsqueeze(0)?)?;
        let last = slopes.dim(1)? - 1;
        if last == 0 {
            return Ok(raw);
        }
        // A feature of one bin has no other slope.
        let others = slopes.narrow(1, 0, last)?.abs()?.sum(1)?;
        let has_one = others.eq(0.0)?.unsqueeze(1)?.unsqueeze(0)?;
        let end = raw.narrow(2, last, 1)?;
        let end = has_one.broadcast_as(end.shape())?.where_cond(&end, &end.maximum(0.0)?)?;
        let first = raw.narrow(2, 0, 1)?.minimum(1.0)?;
        if last == 1 {
            return Tensor::cat(&[first, end], 2);
        }
        let middle = raw.narrow(2, 1, last - 1)?.maximum(0.0)?.minimum(1.0)?;
        Tensor::cat(&[first, middle, end], 2)
    }

    /// The gradient of xs from that of its components.
    pub fn backward(&self, xs: &Tensor, grad: &Tensor) -> Result<Tensor> {
        let gradients = autograd::vjp(&[xs], grad, |t| self.forward(&t[0]))?;
        gradients.into_iter().next().map_or_else(|| xs.zeros_like(), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(edges: &[Vec<f64>], components: usize) -> Bins {
        let [slopes, offsets] = fit(edges, components).unwrap();
        Bins { slopes, offsets }
    }

    #[test]
    fn components_are_rtdls() {
        // rtdl_num_embeddings 0.0.12: _PiecewiseLinearEncodingImpl([0, 1, 3, 4], [-1, 1], [0, 2, 3])
        let bins = bins(&[vec![0.0, 1.0, 3.0, 4.0], vec![-1.0, 1.0], vec![0.0, 2.0, 3.0]], 3);
        let xs = Tensor::new(&[[-0.5, -3.0, 2.5], [2.0, 0.5, -1.0], [6.0, 2.0, 1.0]], &Device::Cpu).unwrap();
        let expected = [
            [[-0.5, 0.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.5]],
            [[1.0, 0.5, 0.0], [0.0, 0.0, 0.75], [-0.5, 0.0, 0.0]],
            [[1.0, 1.0, 3.0], [0.0, 0.0, 1.5], [0.5, 0.0, 0.0]],
        ];
        assert_eq!(bins.forward(&xs).unwrap().to_vec3::<f64>().unwrap(), expected);
        let one = self::bins(&[vec![2.0, 4.0]], 1);
        let xs = Tensor::new(&[[0.0], [3.0], [6.0]], &Device::Cpu).unwrap();
        assert_eq!(one.forward(&xs).unwrap().to_vec3::<f64>().unwrap(), [[[-1.0]], [[0.5]], [[2.0]]]);
    }
}
