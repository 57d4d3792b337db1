//! Type names that are declared more than once: one name, one meaning.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Ident, Item, ItemMod};

use super::sources::Source;

/// Names that mean the same wherever they are declared: the arguments of a command, its subcommands, a rule's arithmetic,
/// and a metric while rows are counted.
const SHARED: &[&str] = &["Arguments", "Command", "Formula", "Running"];

/// The folder whose names are still to be told apart.
const NOT_YET: &str = "src/export/";

/// The names of types and traits that several files declare, with those files; tests declare their own.
pub(super) fn repeated(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let of_tests = |path: &str| path.ends_with("tests.rs") || path.contains("/tests/");
    for source in sources.iter().filter(|source| !source.path.starts_with(NOT_YET) && !of_tests(&source.path))
    {
        let mut names = Names(BTreeSet::new());
        names.visit_file(&source.syntax);
        for name in names.0.into_iter().filter(|name| !SHARED.contains(&name.as_str())) {
            files.entry(name).or_default().insert(source.path.clone());
        }
    }
    files.retain(|_, files| files.len() > 1);
    files
}

struct Names(BTreeSet<String>);

fn declared(item: &Item) -> Option<&Ident> {
    match item {
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        self.0.extend(declared(item).map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }
}
