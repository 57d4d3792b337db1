//! Functions that take or give a tuple of unlike things, where a struct would name them.

use syn::visit::{self, Visit};
use syn::{
    FnArg, GenericArgument, ImplItemFn, ItemFn, Macro, PathArguments, ReturnType, Signature, TraitItemFn,
    Type,
};

use super::macros;
use super::sources::Source;

/// The names of a file's functions that have a parameter or a result which is such a tuple: by itself, behind a
/// reference, or in an `Option` or a `Result`. Lists of pairs, closures and trait objects are not looked into.
pub(super) fn functions_with_tuples(source: &Source) -> Vec<String> {
    let mut found = Tuples(Vec::new());
    found.visit_file(&source.syntax);
    found.0
}

struct Tuples(Vec<String>);

impl Tuples {
    fn see(&mut self, signature: &Signature) {
        let taken = signature.inputs.iter().any(|input| match input {
            FnArg::Typed(input) => is_unlike(&input.ty),
            FnArg::Receiver(_) => false,
        });
        let given = match &signature.output {
            ReturnType::Type(_, result) => is_unlike(result),
            ReturnType::Default => false,
        };
        if taken || given {
            self.0.push(signature.ident.to_string());
        }
    }
}

/// Whether a type is a tuple whose parts are not all of one type.
fn is_unlike(of: &Type) -> bool {
    match of {
        Type::Reference(reference) => is_unlike(&reference.elem),
        Type::Paren(inner) => is_unlike(&inner.elem),
        Type::Tuple(tuple) => {
            let mut parts = tuple.elems.iter();
            parts.next().is_some_and(|first| parts.any(|part| part != first))
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return false };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
            let wraps = ["Option", "Result"].iter().any(|name| last.ident == name);
            match arguments.args.first() {
                Some(GenericArgument::Type(inner)) if wraps => is_unlike(inner),
                _ => false,
            }
        }
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Tuples {
    fn visit_macro(&mut self, given: &'ast Macro) {
        let functions = macros::functions(given.tokens.clone());
        functions
            .iter()
            .filter_map(macros::MacroFunction::signature)
            .for_each(|signature| self.see(&signature));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.see(&item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.see(&item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.see(&item.sig);
        visit::visit_trait_item_fn(self, item);
    }
}
