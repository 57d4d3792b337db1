//! `--init-from`: the weights of a file, or a part of them, in place of the initialised ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use candle_core::Tensor;
use wildmatch::WildMatch;

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::names::{first_few, natural_order};
use crate::nn::Params;

/// The tensors of a file that a network takes, and their names. By default all of the network's, which the file must
/// have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InitialPart {
    /// Patterns of names in the model, as those of the optimizer's groups; BatchNorm's statistics go with its parameters.
    /// Without patterns all names that the file and the model share.
    pub patterns: Vec<String>,
    /// The prefixes of the file's names that become others; the longest that fits counts.
    pub renames: Vec<Rename>,
}

/// A prefix of names in a file, and the model's prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// In the file.
    pub from: String,
    /// In the model.
    pub to: String,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) =
            text.split_once('=').ok_or("a prefix in the file = one in the model, as in \"0.=layer1.\"")?;
        Ok(Self { from: from.trim().to_owned(), to: to.trim().to_owned() })
    }
}

impl Rename {
    /// The model's name for this one of the file, which begins with the prefix.
    fn apply(&self, name: &str) -> String {
        self.to.clone() + name.strip_prefix(&self.from).unwrap_or(name)
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

/// The origin of each tensor of a network that took a part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenWeights {
    /// The tensors from the file: the model's name and the name in the file.
    pub taken: Vec<(String, String)>,
    /// The tensors that keep their initial values.
    pub initialised: Vec<String>,
    /// The file's that the network has not taken.
    pub left: Vec<String>,
}

/// A tensor of the file.
struct FileTensor {
    name: String,
    value: Tensor,
}

/// The tensors of the file by the names that they get.
type Renamed = BTreeMap<String, FileTensor>;

impl InitialPart {
    /// Whether the whole state is taken.
    pub fn is_whole(&self) -> bool {
        self.patterns.is_empty() && self.renames.is_empty()
    }

    /// Loads the part of the file into the network; all of it or nothing.
    ///
    /// # Errors
    /// A pattern or a prefix that fits nothing, a name that two tensors get, a shape that differs.
    pub(super) fn load(&self, params: &Params, path: &Path, allow_nonfinite: bool) -> Result<TakenWeights> {
        let renamed = self.renamed(checkpoint::load(path)?, path)?;
        let own: BTreeSet<String> = params.state().into_iter().map(|(name, _)| name.to_owned()).collect();
        self.require_known(&own, &renamed, path)?;
        self.require_matches(&own, &renamed, path)?;
        let (taken, left): (Renamed, Renamed) =
            renamed.into_iter().partition(|(name, _)| own.contains(name) && self.takes(name, &own));
        let part = taken.iter().map(|(name, tensor)| (name.clone(), tensor.value.clone())).collect();
        if !allow_nonfinite {
            checkpoint::require_finite(path, &part)?;
        }
        params.load_part(&part).map_err(|error| misfit(params, &part, path, &error))?;
        Ok(TakenWeights::new(&own, taken, left))
    }

    /// The file's tensors by their new names.
    fn renamed(&self, state: BTreeMap<String, Tensor>, path: &Path) -> Result<Renamed> {
        for (place, Rename { from, .. }) in self.renames.iter().enumerate() {
            let problem = if self.renames[..place].iter().any(|other| other.from == *from) {
                "is given twice; leave one".to_owned()
            } else if !state.keys().any(|name| name.starts_with(from)) {
                format!("no name in {} begins with it; it has {}", path.display(), quoted(state.keys()))
            } else {
                continue;
            };
            return Err(wrong("rename", from, &problem));
        }
        let mut renamed = Renamed::new();
        for (name, value) in state {
            let new = self.rename(&name).map_or_else(|| name.clone(), |rename| rename.apply(&name));
            if let Some(other) = renamed.get(&new) {
                let problem = format!(
                    "`{}` and `{}` of {} would both be it; give the other a name of its own, as in \"{1}=other.{1}\"",
                    name.escape_debug(),
                    other.name.escape_debug(),
                    path.display()
                );
                return Err(wrong("rename", &new, &problem));
            }
            renamed.insert(new, FileTensor { name, value });
        }
        Ok(renamed)
    }

    /// The rename of this name in the file.
    fn rename(&self, name: &str) -> Option<&Rename> {
        let fitting = self.renames.iter().filter(|rename| name.starts_with(&rename.from));
        fitting.max_by_key(|rename| rename.from.len())
    }

    /// Requires that a name that was asked for is one of the model's; patterns may leave tensors of any name.
    fn require_known(&self, own: &BTreeSet<String>, renamed: &Renamed, path: &Path) -> Result<()> {
        let mut asked = renamed.iter().filter(|(_, tensor)| self.rename(&tensor.name).is_some());
        let unknown = asked.find(|(new, _)| self.patterns.is_empty() && !own.contains(*new));
        unknown.map_or(Ok(()), |(new, tensor)| {
            let problem = format!(
                "`{}` of {} gets this name, and the model has {}; rename it to one of these, or take only some of them \
                 by --init-match",
                tensor.name.escape_debug(),
                path.display(),
                quoted(own)
            );
            Err(wrong("rename", new, &problem))
        })
    }

    /// Requires that each pattern takes a tensor.
    fn require_matches(&self, own: &BTreeSet<String>, renamed: &Renamed, path: &Path) -> Result<()> {
        for pattern in &self.patterns {
            let matcher = WildMatch::new(pattern);
            let wanted: Vec<&String> = own.iter().filter(|name| matcher.matches(name)).collect();
            if wanted.iter().any(|name| renamed.contains_key(*name)) {
                continue;
            }
            let problem = if wanted.is_empty() {
                let layer = WildMatch::new(&format!("{pattern}.*"));
                let hint = if own.iter().any(|name| layer.matches(name)) {
                    format!("write \"{pattern}.*\"")
                } else {
                    format!("its names are {}", quoted(own))
                };
                format!("it matches no tensor of the model; {hint}")
            } else {
                format!(
                    "{} has none of {}; it has {}, which --init-rename can give the model's names, as in \"0.=layer1.\"",
                    path.display(),
                    quoted(wanted),
                    quoted(renamed.keys())
                )
            };
            return Err(wrong("match", pattern, &problem));
        }
        Ok(())
    }

    /// Whether the tensor of this name is one to take: a pattern matches it, or a parameter whose layer it is a
    /// statistic of.
    fn takes(&self, name: &str, own: &BTreeSet<String>) -> bool {
        let matches = |name: &str| self.patterns.iter().any(|pattern| WildMatch::new(pattern).matches(name));
        let is_statistic = |name: &str| {
            ["running_mean", "running_var", "num_batches_tracked"].contains(&part(name)) && own.contains(name)
        };
        let parameters = own.iter().filter(|other| layer(other) == layer(name) && !is_statistic(other));
        self.patterns.is_empty()
            || matches(name)
            || (is_statistic(name) && parameters.into_iter().any(|other| matches(other)))
    }
}

impl TakenWeights {
    fn new(own: &BTreeSet<String>, taken: Renamed, left: Renamed) -> Self {
        // A counter that a file does not have is 0, as in torch.
        let is_counter = |name: &str| {
            part(name) == "num_batches_tracked" && taken.keys().any(|other| layer(other) == layer(name))
        };
        let rest = own.iter().filter(|name| !taken.contains_key(*name) && !is_counter(name));
        let mut whole = Self {
            initialised: rest.cloned().collect(),
            left: left.into_values().map(|tensor| tensor.name).collect(),
            taken: taken.into_iter().map(|(name, tensor)| (name, tensor.name)).collect(),
        };
        whole.taken.sort_by_cached_key(|(name, _)| natural_order(name));
        whole.initialised.sort_by_cached_key(|name| natural_order(name));
        whole.left.sort_by_cached_key(|name| natural_order(name));
        whole
    }
}

/// The name of a tensor's layer.
fn layer(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// The name of a tensor in its layer.
fn part(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, part)| part)
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let mut names: Vec<&String> = names.into_iter().collect();
    names.sort_by_cached_key(|name| natural_order(name));
    first_few(names.into_iter().map(|name| format!("`{}`", name.escape_debug())))
}

/// An option that does not fit the file or the model.
fn wrong(option: &str, value: &str, problem: &str) -> Error {
    Error::Config(format!("--init-{option} \"{}\": {problem}", value.escape_debug()))
}

/// The error of weights that do not fit, with the layers that do.
pub(super) fn misfit(params: &Params, state: &BTreeMap<String, Tensor>, path: &Path, error: &Error) -> Error {
    let own = params.state();
    let of_layer = |name: &str| -> BTreeMap<String, Tensor> {
        let own = own.iter().filter(|(other, _)| layer(other) == name);
        own.filter_map(|(name, _)| Some(((*name).to_owned(), state.get(*name)?.clone()))).collect()
    };
    let mut fitting: Vec<&str> = Vec::new();
    for name in own.iter().map(|(name, _)| layer(name)) {
        let tensors = of_layer(name);
        if !fitting.contains(&name) && !tensors.is_empty() && params.check_part(&tensors).is_ok() {
            fitting.push(name);
        }
    }
    let hint = if fitting.is_empty() {
        String::new()
    } else {
        let matches: Vec<String> =
            fitting.iter().map(|layer| format!("--init-match \"{layer}.*\"")).collect();
        format!("; to take only what fits: {}", matches.join(" "))
    };
    Error::data(path, format!("these weights do not fit: {error}{hint}"))
}
