//! The structure of the code: imports go one way, no cycles between files, short files and functions, no tuples of
//! unlike things between functions, `unsafe` in few files, doc comments that name the thing.
//!
//! How an import is found: each file is parsed (`syn`), and every path in it that begins with `crate`, `super` or
//! `self`, at a child module, or at a name that a `use` brings in is followed through the modules' own `use` lines to
//! the file that defines what it names. Paths in what macros and attributes are given count too. So a file that takes
//! `super::Error`, which its parent only re-exports, imports the file of `Error` and not the parent; and a parent that
//! declares modules, re-exports from them and lists their types in a `registry!` imports none of them. What only tests
//! import (`#[cfg(test)]`) counts for the order of the rooms and not for cycles.
//!
//! `tests/layering/exceptions.rs` lists what does not keep to this yet. An entry that has become untrue fails the test:
//! the list only gets shorter.

mod cycles;
mod exceptions;
mod imports;
mod lengths;
mod macros;
mod modules;
mod names;
mod prose;
mod sources;
mod tuples;

use std::collections::BTreeSet;
use std::path::Path;

use cycles::cycles;
use exceptions::{CYCLIC, LONG_FILES, LONG_FUNCTIONS, TUPLES, UNSAFE_FILES, UPWARD};
use imports::{Import, imports};
use modules::Modules;
use sources::Source;
use tuples::functions_with_tuples;

/// The rooms from the ground up: a file imports from its own row and from the rows above it in this list.
const ORDER: &[&[&str]] = &[
    &["error", "files", "names", "numbers", "protobuf", "refusal", "rng", "registry", "stats"],
    // BatchNorm's kernels sum over ranks, and batches deal each rank its rows.
    &["distributed"],
    &["kernels"],
    &["data"],
    &["nn"],
    &["model"],
    &["loss", "metrics"],
    &["optim"],
    &["trainer"],
    &["checkpoint"],
    &["config"],
    &["suggest"],
    &["run"],
    &["export"],
    &["report"],
    &["cli"],
    &["lib", "main"],
];

const MAX_FILE_LINES: usize = 300;
const MAX_FUNCTION_LINES: usize = 40;

/// The folder or file right under `src` that a file belongs to.
fn room(path: &str) -> &str {
    let first = path.strip_prefix("src/").unwrap().split('/').next().unwrap();
    first.trim_end_matches(".rs")
}

fn rank(path: &str) -> usize {
    let room = room(path);
    ORDER.iter().position(|row| row.contains(&room)).unwrap_or_else(|| panic!("{room} has no place in ORDER"))
}

/// Fails where something is found that is not among the exceptions, or an exception is no longer found.
fn assert_only(found: &BTreeSet<String>, exceptions: &[&str], rule: &str) {
    let exceptions: BTreeSet<String> = exceptions.iter().map(ToString::to_string).collect();
    let new: Vec<&String> = found.difference(&exceptions).collect();
    assert!(new.is_empty(), "{rule}:\n{new:#?}");
    let gone: Vec<&String> = exceptions.difference(found).collect();
    assert!(gone.is_empty(), "no longer true, remove from tests/layering/exceptions.rs:\n{gone:#?}");
}

/// The sources of the crate and what they import.
fn crate_imports() -> (Vec<Source>, BTreeSet<Import>) {
    let sources = sources::read("src");
    let modules = Modules::of(&sources);
    let reached: BTreeSet<usize> = modules.files().collect();
    for (index, source) in sources.iter().enumerate() {
        let is_other_crate =
            source.path == "src/main.rs" || source.path.starts_with("src/kernels/cuda/build/");
        assert!(is_other_crate || reached.contains(&index), "no module declares {}", source.path);
    }
    let imports = imports(&sources, &modules);
    assert!(imports.len() > 500, "{} imports found", imports.len());
    (sources, imports)
}

/// Cycles of files, tests left out, each with its paths.
fn cyclic_files(sources: &[Source], imports: &BTreeSet<Import>) -> Vec<Vec<String>> {
    let edges =
        imports.iter().filter(|import| !import.in_tests).map(|import| (import.from, import.to)).collect();
    let paths = |group: BTreeSet<usize>| group.into_iter().map(|file| sources[file].path.clone()).collect();
    cycles(&edges).into_iter().map(paths).collect()
}

#[test]
fn imports_go_down_the_list_of_rooms() {
    let (sources, imports) = crate_imports();
    let upward = imports.iter().map(|import| (&sources[import.from].path, &sources[import.to].path));
    let upward = upward.filter(|(from, to)| rank(to) > rank(from));
    let found = upward.map(|(from, to)| format!("{from} -> {to}")).collect();
    assert_only(&found, UPWARD, "imports from a room that stands above");
}

#[test]
fn no_files_import_each_other() {
    let (sources, imports) = crate_imports();
    let cycles = cyclic_files(&sources, &imports);
    let found = cycles.iter().flatten().cloned().collect();
    assert_only(&found, CYCLIC, &format!("files in a cycle; all cycles are {cycles:#?}"));
}

#[test]
fn files_are_short() {
    let long = all_sources().into_iter().filter(|source| {
        source.text.lines().count() > MAX_FILE_LINES && !lengths::is_long_file_allowed(source)
    });
    let found = long.map(|source| source.path).collect();
    assert_only(&found, LONG_FILES, &format!("files over {MAX_FILE_LINES} lines, tests in them counted"));
}

#[test]
fn functions_are_short() {
    let mut found = BTreeSet::new();
    for source in all_sources() {
        for function in lengths::functions(&source) {
            if function.lines() > MAX_FUNCTION_LINES && !function.is_allowed(&source) {
                found.insert(format!("{} {}", source.path, function.name));
            }
        }
    }
    assert_only(&found, LONG_FUNCTIONS, &format!("functions over {MAX_FUNCTION_LINES} lines"));
}

#[test]
fn a_type_name_has_one_meaning() {
    let repeated = names::repeated(&sources::read("src"));
    assert!(repeated.is_empty(), "declared more than once; tell them apart: {repeated:#?}");
}

#[test]
fn doc_comments_name_the_thing() {
    let found: Vec<String> = sources::read("src").iter().flat_map(prose::clauses).collect();
    assert!(found.is_empty(), "name the thing or the action first: {found:#?}");
}

#[test]
fn no_function_takes_or_gives_a_tuple_of_unlike_things() {
    let name = |source: &Source, function| format!("{} {function}", source.path);
    let named = |source: &Source| {
        let functions = functions_with_tuples(source);
        functions.into_iter().map(|function| name(source, function)).collect::<Vec<_>>()
    };
    let found = sources::read("src").iter().flat_map(named).collect();
    assert_only(&found, TUPLES, "functions with tuples of unlike things; name the parts in a struct");
}

#[test]
fn tuples_of_unlike_things_are_found_behind_references_and_in_results() {
    let found = |signature: &str| {
        functions_with_tuples(&Source::new("a.rs", &format!("fn f{signature} {{}}"))) == ["f"]
    };
    for signature in [
        "(_: (u8, i8))",
        "((a, b): &(u8, i8))",
        "() -> (u8, u8, i8)",
        "() -> Result<(u8, i8), E>",
        "() -> crate::Result<Option<&(u8, i8)>>",
    ] {
        assert!(found(signature), "{signature}");
    }
    for signature in
        ["(_: (u8, u8))", "(_: &[(u8, i8)])", "() -> Vec<(u8, i8)>", "(_: impl Fn(u8, i8) -> (u8, i8))"]
    {
        assert!(!found(signature), "{signature}");
    }
}

#[test]
fn functions_that_a_macro_is_given_are_seen() {
    let body = "    f();\n".repeat(MAX_FUNCTION_LINES);
    let text = format!("vectorized! {{\n    /// G.\n    fn g[T: Float](_: (u8, i8)) -> T {{\n{body}}}\n}}\n");
    let source = Source::new("a.rs", &text);
    let functions = lengths::functions(&source);
    assert_eq!(
        functions.iter().map(|f| (f.name.as_str(), f.lines())).collect::<Vec<_>>(),
        [("g", MAX_FUNCTION_LINES + 2)]
    );
    assert!(!functions[0].is_allowed(&source));
    assert_eq!(functions_with_tuples(&source), ["g"]);
}

fn all_sources() -> Vec<Source> {
    let mut sources = sources::read("src");
    sources.extend(sources::read("tests"));
    assert!(sources.len() > 100, "the sources were not found");
    sources
}

#[test]
fn storage_and_unsafe_stay_in_the_kernels() {
    for source in sources::read("src") {
        let code = source.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            if room(&source.path) != "kernels" {
                for word in ["CpuStorage", "Layout", "storage_and_layout"] {
                    assert!(!line.contains(word), "{}: {line}", source.path);
                }
            }
            let path = Path::new(&source.path);
            if !UNSAFE_FILES.iter().any(|file| path == Path::new("src/kernels").join(file)) {
                // A page may speak of `unsafe-inline` scripts.
                assert!(!line.replace("unsafe-inline", "").contains("unsafe"), "{}: {line}", source.path);
            }
        }
    }
}

/// The cycles of a crate of these files.
fn cycles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    let imports = imports(&sources, &Modules::of(&sources));
    cyclic_files(&sources, &imports)
}

#[test]
fn a_cycle_is_found_through_re_exports_groups_macros_and_child_modules() {
    let root = ("src/lib.rs", "mod a; mod b;");
    let second = ("src/b.rs", "pub use crate::a::One; pub struct Two;");
    let both = [vec!["src/a.rs".to_owned(), "src/b.rs".to_owned()]];
    for first in [
        "pub struct One; use crate::b::Two;",
        "pub struct One; use super::b::{self};",
        "pub struct One; use crate::{b::{Two as Three}};",
        "pub struct One; fn f() -> crate::b::Two { todo!() }",
        "pub struct One; fn f() { println!(\"{:?}\", crate::b::Two) }",
        "pub struct One; mod inner { fn f(_: super::super::b::Two) {} }",
        "pub struct One; #[cfg(not(test))] use crate::b::*;",
    ] {
        assert_eq!(cycles_of(&[root, ("src/a.rs", first), second]), both, "{first}");
    }
    let parent = "mod x; pub use x::One; pub struct Two; fn f() { x::g() }";
    let found =
        cycles_of(&[("src/lib.rs", "mod a;"), ("src/a.rs", parent), ("src/a/x.rs", "use super::Two;")]);
    assert_eq!(found, [["src/a.rs", "src/a/x.rs"]]);
}

#[test]
fn re_exports_of_a_parent_and_imports_of_tests_make_no_cycle() {
    let parent =
        "mod x; mod y; pub use x::One; pub use y::*; pub struct Two; registry! { \"one\" => A(x::One) }";
    let none: [Vec<String>; 0] = [];
    let files = [
        ("src/lib.rs", "mod a;"),
        ("src/a/mod.rs", parent),
        ("src/a/x.rs", "use super::Two; pub struct One;"),
        ("src/a/y.rs", "use super::One; #[cfg(test)] mod tests;"),
        ("src/a/y/tests.rs", "use super::*; use crate::a::Two;"),
    ];
    assert_eq!(cycles_of(&files), none);
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "pub struct One; #[cfg(test)] mod tests { use crate::b::Two; }"),
        ("src/b.rs", "use crate::a::One; pub struct Two;"),
    ];
    assert_eq!(cycles_of(&files), none);
}

#[test]
fn a_marker_with_a_reason_allows_a_long_function() {
    let body = "    f();\n".repeat(MAX_FUNCTION_LINES);
    let is_allowed = |above: &str, inside: &str| {
        let source = Source::new("a.rs", &format!("{above}fn g() {{\n{inside}{body}}}\n"));
        let functions = lengths::functions(&source);
        assert_eq!(functions[0].lines(), MAX_FUNCTION_LINES + 2 + inside.lines().count());
        functions[0].is_allowed(&source)
    };
    assert!(is_allowed("// layering: long because it is a table\n#[inline]\n", ""));
    assert!(is_allowed("", "    // layering: long because it is a table\n"));
    assert!(!is_allowed("", ""));
    assert!(!is_allowed("// layering: long because \n", ""));
    assert!(!is_allowed("// layering: long because it is a table\nconst X: u8 = 1;\n", ""));
}
