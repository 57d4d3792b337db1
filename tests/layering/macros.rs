//! Functions in what a macro is given, as in `vectorized! { fn … }`, which are only tokens to `syn`.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::Signature;

/// A function that a macro is given.
pub(super) struct MacroFunction {
    pub(super) name: Ident,
    /// Its `fn`.
    pub(super) start: Span,
    /// The tokens between name and body, without generics in square brackets.
    signature: TokenStream,
    pub(super) body: Group,
}

impl MacroFunction {
    /// Its parameters and result; `None` if they are not Rust before the macro is expanded.
    pub(super) fn signature(&self) -> Option<Signature> {
        let mut text = TokenStream::from(TokenTree::Ident(Ident::new("fn", Span::call_site())));
        text.extend([TokenTree::Ident(self.name.clone())]);
        text.extend(self.signature.clone());
        syn::parse2(text).ok()
    }
}

/// The functions in the tokens of a macro, and those within them.
pub(super) fn functions(tokens: TokenStream) -> Vec<MacroFunction> {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => found.extend(functions(group.stream())),
            TokenTree::Ident(word) if word == "fn" => {
                if let Some(function) = function(word.span(), &mut tokens) {
                    found.extend(functions(function.body.stream()));
                    found.push(function);
                }
            }
            _ => {}
        }
    }
    found
}

/// The function that follows a `fn`, if it has a name and a body.
fn function(start: Span, tokens: &mut Peekable<IntoIter>) -> Option<MacroFunction> {
    let Some(TokenTree::Ident(name)) = tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) else {
        return None;
    };
    let mut signature = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                return Some(MacroFunction { name, start, signature, body });
            }
            TokenTree::Group(generics)
                if signature.is_empty() && generics.delimiter() == Delimiter::Bracket => {}
            TokenTree::Punct(end) if end.as_char() == ';' => return None,
            other => signature.extend([other]),
        }
    }
    None
}
