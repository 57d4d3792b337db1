//! The crate's module tree, and the file that a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, UseTree};

use super::sources::Source;

/// How many aliases may lead to one another before a path counts as unknown.
const MAX_ALIASES: usize = 16;

/// The number of the crate's root module.
pub(super) const ROOT: usize = 0;

/// A module: a file, or a `mod` block in one.
#[derive(Default)]
struct Module {
    file: usize,
    parent: Option<usize>,
    children: BTreeMap<String, Vec<usize>>,
    /// What a `use` here brings in, by its name here.
    aliases: BTreeMap<String, Vec<Vec<String>>>,
    /// The modules that a `use …::*` here opens.
    globs: Vec<Vec<String>>,
    /// What is defined here.
    items: BTreeSet<String>,
}

/// All modules of a crate.
pub(super) struct Modules {
    all: Vec<Module>,
}

/// One name that a `use` brings in.
pub(super) struct Imported {
    pub(super) path: Vec<String>,
    /// Its name from here on; nothing for `*`.
    alias: Option<String>,
}

impl Modules {
    /// The tree of the crate whose root is the file `src/lib.rs`.
    pub(super) fn of(sources: &[Source]) -> Self {
        let mut modules = Self { all: Vec::new() };
        let root = sources.iter().position(|s| s.path == "src/lib.rs").expect("there is a src/lib.rs");
        modules.add(sources, &sources[root].syntax.items, &Place { file: root, parent: None, folder: "src" });
        modules
    }

    pub(super) fn child(&self, module: usize, name: &str) -> &[usize] {
        self.all[module].children.get(name).map_or(&[], Vec::as_slice)
    }

    /// The file of each module, in the order in which they were found.
    pub(super) fn files(&self) -> impl Iterator<Item = usize> {
        self.all.iter().map(|module| module.file)
    }

    pub(super) fn file(&self, module: usize) -> usize {
        self.all[module].file
    }

    /// Whether `inner` is `outer` or lies in it.
    pub(super) fn is_within(&self, inner: usize, outer: usize) -> bool {
        inner == outer || self.all[inner].parent.is_some_and(|parent| self.is_within(parent, outer))
    }

    /// Whether a relative path that begins with this name begins at something of this crate.
    pub(super) fn knows(&self, module: usize, name: &str) -> bool {
        let module = &self.all[module];
        module.children.contains_key(name) || module.aliases.contains_key(name)
    }

    /// The modules in which what a path names is defined; none where it is not of this crate.
    pub(super) fn resolve(&self, module: usize, path: &[String]) -> Vec<usize> {
        self.resolve_through(module, path, 0)
    }

    fn add(&mut self, sources: &[Source], items: &[Item], place: &Place<'_>) -> usize {
        let index = self.all.len();
        self.all.push(Module { file: place.file, parent: place.parent, ..Module::default() });
        for item in items {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let folder = format!("{}/{name}", place.folder);
                    let found = if let Some((_, items)) = &child.content {
                        let inner = Place { file: place.file, parent: Some(index), folder: &folder };
                        self.add(sources, items, &inner)
                    } else {
                        let paths = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                        let file = sources.iter().position(|source| paths.contains(&source.path));
                        let file = file.unwrap_or_else(|| panic!("none of {paths:?} is there"));
                        let inner = Place { file, parent: Some(index), folder: &folder };
                        self.add(sources, &sources[file].syntax.items, &inner)
                    };
                    self.all[index].children.entry(name).or_default().push(found);
                }
                Item::Use(item) => {
                    for Imported { path, alias } in imported(&item.tree) {
                        match alias {
                            Some(name) => self.all[index].aliases.entry(name).or_default().push(path),
                            None => self.all[index].globs.push(path),
                        }
                    }
                }
                other => self.all[index].items.extend(defined(other)),
            }
        }
        index
    }

    fn resolve_through(&self, module: usize, path: &[String], aliases: usize) -> Vec<usize> {
        let (mut start, mut rest) = (module, path);
        let mut is_relative = true;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => start = ROOT,
                "self" => {}
                "super" => start = self.all[start].parent.expect("the root has no `super`"),
                _ => break,
            }
            (rest, is_relative) = (after, false);
        }
        let found = self.walk(start, rest, aliases);
        // What a macro or a `use …::*` defines has no entry: it is taken to be defined in the module that was named.
        if found.is_empty() && !is_relative { vec![start] } else { found }
    }

    fn walk(&self, start: usize, path: &[String], aliases: usize) -> Vec<usize> {
        let Some((name, rest)) = path.split_first() else { return vec![start] };
        let module = &self.all[start];
        if let Some(children) = module.children.get(name) {
            let deeper = |child: &usize| {
                let found = self.walk(*child, rest, aliases);
                if found.is_empty() { vec![*child] } else { found }
            };
            return children.iter().flat_map(deeper).collect();
        }
        if module.items.contains(name) {
            return vec![start];
        }
        if aliases >= MAX_ALIASES {
            return Vec::new();
        }
        if let Some(targets) = module.aliases.get(name) {
            let follow = |target: &Vec<String>| {
                let path: Vec<String> = target.iter().chain(rest).cloned().collect();
                self.resolve_through(start, &path, aliases + 1)
            };
            return targets.iter().filter(|target| target[0] != *name).flat_map(follow).collect();
        }
        let opened = module.globs.iter().flat_map(|glob| self.resolve_through(start, glob, aliases + 1));
        opened.filter(|opened| *opened != start).flat_map(|o| self.walk(o, path, aliases + 1)).collect()
    }
}

/// Where a module stands.
struct Place<'a> {
    file: usize,
    parent: Option<usize>,
    /// Where its child modules have their files.
    folder: &'a str,
}

/// Every name that a `use` brings in.
pub(super) fn imported(tree: &UseTree) -> Vec<Imported> {
    match tree {
        UseTree::Path(tree) => {
            let mut all = imported(&tree.tree);
            for one in &mut all {
                one.path.insert(0, tree.ident.to_string());
                // `use x::{self}` names x.
                if one.alias.as_deref() == Some("self") {
                    one.alias = Some(tree.ident.to_string());
                    one.path.pop();
                }
            }
            all
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            vec![Imported { path: vec![name.clone()], alias: Some(name) }]
        }
        UseTree::Rename(renamed) => {
            vec![Imported { path: vec![renamed.ident.to_string()], alias: Some(renamed.rename.to_string()) }]
        }
        UseTree::Glob(_) => vec![Imported { path: Vec::new(), alias: None }],
        UseTree::Group(group) => group.items.iter().flat_map(imported).collect(),
    }
}

/// The names that an item defines; of a macro's call those that stand behind `struct`, `enum` and the like.
fn defined(item: &Item) -> Vec<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => match &item.ident {
            Some(ident) => ident,
            None => return defined_in(item.mac.tokens.clone()),
        },
        _ => return Vec::new(),
    };
    vec![ident.to_string()]
}

fn defined_in(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut defines = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if defines => {
                names.push(ident.to_string());
                defines = false;
            }
            TokenTree::Ident(ident) => {
                let word = ident.to_string();
                defines = ["enum", "struct", "fn", "trait", "type", "const", "static"].contains(&&*word);
            }
            TokenTree::Group(group) => names.extend(defined_in(group.stream())),
            _ => defines = false,
        }
    }
    names
}
