//! Work that is captured once and replayed: a launch for all of its kernels together.
//! <https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-graphs>
//!
//! A replay has the arguments of the capture, so values that change are stored in the device's memory. Nothing that is
//! captured may come from the host; shapes and constants that candle sends there stay on the device while
//! [`CachedConstants`] live, if the same work was done once before.

use candle_core::{Device, Result, bail};

/// Captured work.
pub struct Graph {
    #[cfg(feature = "cuda")]
    graph: candle_core::cuda_backend::cudarc::driver::CudaGraph,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Graph")
    }
}

/// While this lives, shapes and constants that candle sends to the device stay there.
#[derive(Debug)]
pub struct CachedConstants {
    #[cfg(feature = "cuda")]
    _guard: Option<Box<dyn std::any::Any>>,
}

impl CachedConstants {
    /// From now on.
    #[cfg_attr(
        not(feature = "cuda"),
        expect(unused_variables, reason = "without CUDA there is nothing to keep")
    )]
    pub fn keep(device: &Device) -> Self {
        Self {
            #[cfg(feature = "cuda")]
            _guard: device
                .as_cuda_device()
                .ok()
                .map(|device| -> Box<dyn std::any::Any> { Box::new(device.enable_cuda_graph_htod_cache()) }),
        }
    }
}

#[cfg(feature = "cuda")]
impl Graph {
    /// Captures the work that `f` queues, which is not done yet.
    pub fn capture(
        device: &Device,
        f: impl FnOnce() -> crate::error::Result<()>,
    ) -> crate::error::Result<Self> {
        use candle_core::cuda_backend::WrapErr;
        use candle_core::cuda_backend::cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};

        let stream = device.as_cuda_device()?.cuda_stream();
        stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).w()?;
        let queued = f();
        // Also where it failed: else the stream would go on capturing.
        let graph = stream.end_capture(CUgraphInstantiate_flags(0)).w();
        queued?;
        match graph? {
            Some(graph) => Ok(Self { graph }),
            None => Err(candle_core::Error::Msg("a CUDA graph captured nothing".to_owned()).into()),
        }
    }

    /// Queues the work.
    pub fn replay(&self) -> Result<()> {
        use candle_core::cuda_backend::WrapErr;

        match self.graph.launch().w() {
            Ok(()) => Ok(()),
            Err(error) => bail!("a CUDA graph cannot be replayed: {error}"),
        }
    }
}

#[cfg(not(feature = "cuda"))]
impl Graph {
    /// Captures the work that `f` queues, which is not done yet.
    pub fn capture(_: &Device, _: impl FnOnce() -> crate::error::Result<()>) -> crate::error::Result<Self> {
        Err(candle_core::Error::Msg("CUDA graphs need a binary with the feature `cuda`".to_owned()).into())
    }

    /// Queues the work.
    pub fn replay(&self) -> Result<()> {
        bail!("CUDA graphs need a binary with the feature `cuda`")
    }
}
