//! A config with what a user should know of its data.

/// A config that was made for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The config as TOML with comments. It trains as it stands.
    pub text: String,
    /// The options by which cells are read, where these are not the defaults.
    pub notes: Vec<String>,
    /// Doubts that a user should look at before the results are believed.
    pub warnings: Vec<String>,
}
