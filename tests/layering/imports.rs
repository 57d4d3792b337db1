//! Which file needs which: every path in the code, resolved to the file that defines what it names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, Visibility};

use super::modules::{Modules, ROOT, imported};
use super::sources::Source;

/// One file needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether only tests need it.
    pub(super) in_tests: bool,
}

/// Every import of every file. What a parent re-exports from its child modules or lists of them in a `registry!` is as a
/// `mod` line: no import.
pub(super) fn imports(sources: &[Source], modules: &Modules) -> BTreeSet<Import> {
    let mut found = BTreeSet::new();
    collect(sources, modules, ROOT, false, &mut found);
    found
}

fn collect(
    sources: &[Source],
    modules: &Modules,
    module: usize,
    in_tests: bool,
    found: &mut BTreeSet<Import>,
) {
    let file = modules.file(module);
    let mut visitor = Visitor { modules, module, in_tests, in_registry: false, found, files: Vec::new() };
    visitor.visit_file(&sources[file].syntax);
    for Child { module, in_tests } in visitor.files {
        collect(sources, modules, module, in_tests, found);
    }
}

/// A child module that has a file of its own.
struct Child {
    module: usize,
    in_tests: bool,
}

struct Visitor<'a> {
    modules: &'a Modules,
    /// The innermost module around what is visited.
    module: usize,
    in_tests: bool,
    in_registry: bool,
    found: &'a mut BTreeSet<Import>,
    files: Vec<Child>,
}

impl Visitor<'_> {
    fn record(&mut self, path: &[String]) {
        let from = self.modules.file(self.module);
        for module in self.modules.resolve(self.module, path) {
            let to = self.modules.file(module);
            let is_declared = self.in_registry && self.modules.is_within(module, self.module);
            if to != from && !is_declared {
                self.found.insert(Import { from, to, in_tests: self.in_tests });
            }
        }
    }

    /// A path in code: an absolute one, or one that begins at a child module or at a name that a `use` brings in.
    fn record_if_known(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let is_absolute = ["crate", "super", "self"].contains(&first.as_str()) && path.len() > 1;
        let is_known = self.modules.knows(self.module, first);
        // A variable may have a module's name; a module alone is no value.
        let is_module = path.len() == 1 && !self.modules.child(self.module, first).is_empty();
        if is_absolute || (is_known && !is_module) {
            self.record(path);
        }
    }

    /// The paths in what a macro or an attribute is given, where they can be told: words joined by `::`.
    fn record_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.record_joined(&path);
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.record_joined(&path);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.record_tokens(group.stream());
                    }
                }
            }
        }
        self.record_joined(&path);
    }

    fn record_joined(&mut self, path: &[String]) {
        let is_type = path.first().is_some_and(|first| first.starts_with(char::is_uppercase));
        if path.len() > 1 || is_type {
            self.record_if_known(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let in_tests = self.in_tests || is_test(&item.attrs);
        let children = self.modules.child(self.module, &item.ident.to_string()).to_vec();
        let own = self.modules.file(self.module);
        let Some((_, items)) = &item.content else {
            let others = children.into_iter().filter(|child| self.modules.file(*child) != own);
            self.files.extend(others.map(|module| Child { module, in_tests }));
            return;
        };
        let Some(inner) = children.into_iter().find(|child| self.modules.file(*child) == own) else { return };
        let outer = (self.module, self.in_tests);
        (self.module, self.in_tests) = (inner, in_tests);
        for item in items {
            self.visit_item(item);
        }
        (self.module, self.in_tests) = outer;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        for import in imported(&item.tree) {
            let targets = self.modules.resolve(self.module, &import.path);
            let is_own = |target: &usize| self.modules.is_within(*target, self.module);
            // In a `use`, too, a path is of this crate where it begins here or at one of its modules.
            let begins = |word: &str| self.modules.knows(self.module, word);
            let is_ours = import
                .path
                .first()
                .is_some_and(|word| ["crate", "super", "self"].contains(&word.as_str()) || begins(word));
            if is_ours && !(is_export && targets.iter().all(is_own)) {
                self.record(&import.path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.record_if_known(&words);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.in_registry = item.path.segments.last().is_some_and(|name| name.ident == "registry");
        self.record_tokens(item.tokens.clone());
        self.in_registry = false;
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.record_tokens(list.tokens.clone());
        }
    }

    // `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
