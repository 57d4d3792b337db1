//! How long files and functions are.

use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Macro, Signature, TraitItemFn};

use super::macros;
use super::sources::Source;

/// The line that allows a long file or function: `// layering: long because …`.
const MARKER: &str = "// layering: long because ";

/// A function, by its lines in the file.
pub(super) struct Function {
    pub(super) name: String,
    /// The line of its `fn`, from 0.
    start: usize,
    /// The line of its closing brace.
    end: usize,
}

impl Function {
    /// Its lines from `fn` to the closing brace, both counted: comments and blank lines in it too, attributes and
    /// documentation above it not.
    pub(super) fn lines(&self) -> usize {
        self.end - self.start + 1
    }

    /// Whether a line in it, or in the comments and attributes right above it, says why it is long.
    pub(super) fn is_allowed(&self, source: &Source) -> bool {
        let lines: Vec<&str> = source.text.lines().map(str::trim_start).collect();
        let above = lines[..self.start].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
        let mut inside = lines[self.start..=self.end].iter();
        above.any(|line| gives_reason(line)) || inside.any(|line| gives_reason(line))
    }
}

/// Whether a line before the file's first item says why it is long.
pub(super) fn is_long_file_allowed(source: &Source) -> bool {
    let lines = source.text.lines().map(str::trim_start);
    let mut head =
        lines.take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!["));
    head.any(gives_reason)
}

fn gives_reason(line: &str) -> bool {
    line.strip_prefix(MARKER).is_some_and(|reason| !reason.trim().is_empty())
}

/// Every function of a file: free ones, methods, defaults of traits, those that macros are given, and those within
/// others. Closures count as part of the function that has them.
pub(super) fn functions(source: &Source) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(&source.syntax);
    found.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        self.0.push(Function {
            name: signature.ident.to_string(),
            start: signature.fn_token.span.start().line - 1,
            end: block.brace_token.span.close().end().line - 1,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_macro(&mut self, given: &'ast Macro) {
        self.0.extend(macros::functions(given.tokens.clone()).into_iter().map(|function| Function {
            name: function.name.to_string(),
            start: function.start.start().line - 1,
            end: function.body.span_close().end().line - 1,
        }));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
