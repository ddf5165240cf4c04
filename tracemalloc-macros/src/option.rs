//! One option, `max_growth = "1 KiB"`, and the forms that its value may have. Every error is at the
//! option's own place.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Path, Result, Token, UnOp};

use crate::parse_size::parse_size;

/// The most frames that a traceback can keep.
const MOST_FRAMES: u64 = 128;

/// `name = value`, as it was written.
pub struct NameValue {
    pub name: Ident,
    pub value: Expr,
    pub tokens: TokenStream,
}

impl Parse for NameValue {
    fn parse(input: ParseStream) -> Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(
                input.error("expected an option with its name, such as `max_growth = \"1 KiB\"`")
            );
        }
        // `crate` is an option, and a keyword.
        let name: Ident = input.call(Ident::parse_any)?;
        if !input.peek(Token![=]) {
            let message = format!("`{name}` needs a value: `{name} = ...`");
            return Err(if input.is_empty() {
                syn::Error::new(name.span(), message)
            } else {
                input.error(message)
            });
        }
        let equals: Token![=] = input.parse()?;
        if input.is_empty() {
            return Err(syn::Error::new(
                name.span(),
                format!("`{name}` needs a value: `{name} = ...`"),
            ));
        }
        let value: Expr = input.parse()?;
        let mut tokens = name.to_token_stream();
        equals.to_tokens(&mut tokens);
        value.to_tokens(&mut tokens);
        Ok(Self { name, value, tokens })
    }
}

/// A value, before its option is known.
enum Literal {
    Text(LitStr),
    Integer(u64),
    Negative,
    TooLarge,
    Other,
}

impl NameValue {
    /// A number of bytes: an integer, or a text such as `"1.5 KiB"`.
    pub fn size(&self) -> Result<u64> {
        match literal(&self.value) {
            Literal::Integer(bytes) => Ok(bytes),
            Literal::Text(text) => {
                parse_size(&text.value()).map_err(|error| self.wrong(&error.reason()))
            }
            Literal::Negative => Err(self.wrong("a size cannot be negative")),
            Literal::TooLarge => Err(self.wrong(&format!("expected at most {} bytes", u64::MAX))),
            Literal::Other => Err(self.wrong(
                "expected a literal: a number of bytes such as 4096, or a text such as \"1.5 KiB\"",
            )),
        }
    }

    /// A number of such things.
    pub fn number_of(&self, things: &str) -> Result<u64> {
        match literal(&self.value) {
            Literal::Integer(number) => Ok(number),
            Literal::Negative => {
                Err(self.wrong(&format!("a number of {things} cannot be negative")))
            }
            _ => Err(self.wrong(&format!("expected a number of {things}, such as 3"))),
        }
    }

    /// The number of frames that a traceback keeps.
    pub fn frames(&self) -> Result<u32> {
        self.count(MOST_FRAMES, &format!("expected a number from 1 to {MOST_FRAMES}"))
    }

    /// The most runs of a body.
    pub fn runs(&self) -> Result<u32> {
        self.count(u64::from(u32::MAX), &format!("expected a number from 1 to {}", u32::MAX))
    }

    fn count(&self, most: u64, allowed: &str) -> Result<u32> {
        match literal(&self.value) {
            Literal::Integer(number) if (1..=most).contains(&number) => {
                u32::try_from(number).map_err(|_| self.wrong(allowed))
            }
            _ => Err(self.wrong(allowed)),
        }
    }

    /// File name patterns: one text, or several in brackets.
    pub fn patterns(&self) -> Result<Vec<LitStr>> {
        let allowed = "expected file name patterns, such as [\"src/*\", \"tests/*\"]";
        let patterns: Vec<&Expr> = match &self.value {
            Expr::Array(array) => array.elems.iter().collect(),
            one => vec![one],
        };
        if patterns.is_empty() {
            return Err(self.wrong(allowed));
        }
        let pattern = |pattern: &Expr| match literal(pattern) {
            Literal::Text(text) if !text.value().is_empty() => Ok(text),
            _ => Err(wrong(pattern, &self.name, allowed)),
        };
        patterns.into_iter().map(pattern).collect()
    }

    /// One of these words.
    pub fn word(&self, words: &[&'static str]) -> Result<&'static str> {
        let given = match literal(&self.value) {
            Literal::Text(text) => text.value(),
            _ => String::new(),
        };
        let found = words.iter().find(|word| **word == given);
        found
            .copied()
            .ok_or_else(|| self.wrong(&format!("expected one of \"{}\"", words.join("\", \""))))
    }

    /// A text that is not blank.
    pub fn reason(&self) -> Result<LitStr> {
        match literal(&self.value) {
            Literal::Text(text) if !text.value().trim().is_empty() => Ok(text),
            _ => {
                Err(self
                    .wrong("expected the reason, such as \"leaks in libfoo, see its issue 12\""))
            }
        }
    }

    /// A path to a crate, in a text.
    pub fn path(&self) -> Result<Path> {
        let allowed = "expected the path of the crate tracemalloc-rt, such as \"::memory\"";
        match literal(&self.value) {
            Literal::Text(text) => {
                text.parse_with(Path::parse_mod_style).map_err(|_| self.wrong(allowed))
            }
            _ => Err(self.wrong(allowed)),
        }
    }

    fn wrong(&self, reason: &str) -> syn::Error {
        wrong(&self.value, &self.name, reason)
    }
}

/// An error at a value, in the words of clap's.
fn wrong(value: &Expr, name: &Ident, reason: &str) -> syn::Error {
    let text = value.to_token_stream();
    syn::Error::new(value.span(), format!("invalid value `{text}` for `{name}`: {reason}"))
}

fn literal(value: &Expr) -> Literal {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Literal::Text(text.clone()),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.suffix().is_empty() => {
            number.base10_parse().map_or(Literal::TooLarge, Literal::Integer)
        }
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if matches!(**expr, Expr::Lit(_)) => {
            Literal::Negative
        }
        Expr::Group(group) => literal(&group.expr),
        _ => Literal::Other,
    }
}
