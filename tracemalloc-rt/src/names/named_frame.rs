//! A frame, with the parts of its function's name.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::names::function_name;
use crate::names::symbol::Symbol;

/// A symbol whose function's name is taken apart once.
#[derive(Debug)]
pub struct NamedFrame {
    symbol: Symbol,
    path: String,
    pretty: OnceLock<String>,
}

impl NamedFrame {
    /// See [`function_name::path`].
    pub fn path(&self) -> &str {
        &self.path
    }

    /// See [`function_name::pretty`].
    pub fn pretty(&self) -> &str {
        self.pretty.get_or_init(|| function_name::pretty(&self.function))
    }
}

impl From<Symbol> for NamedFrame {
    fn from(symbol: Symbol) -> Self {
        Self { path: function_name::path(&symbol.function), symbol, pretty: OnceLock::new() }
    }
}

impl Deref for NamedFrame {
    type Target = Symbol;

    fn deref(&self) -> &Symbol {
        &self.symbol
    }
}
