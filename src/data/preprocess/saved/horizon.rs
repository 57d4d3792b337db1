//! The predicted rows after a window, as a run keeps them.

use serde::{Deserialize, Serialize};

/// The rows after a window that are predicted: one alone, or a list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum SavedHorizon {
    Step(usize),
    Steps(Vec<usize>),
}

impl From<SavedHorizon> for Vec<usize> {
    fn from(horizon: SavedHorizon) -> Self {
        match horizon {
            SavedHorizon::Step(step) => vec![step],
            SavedHorizon::Steps(steps) => steps,
        }
    }
}

impl From<Vec<usize>> for SavedHorizon {
    fn from(steps: Vec<usize>) -> Self {
        if let [step] = steps.as_slice() { Self::Step(*step) } else { Self::Steps(steps) }
    }
}
