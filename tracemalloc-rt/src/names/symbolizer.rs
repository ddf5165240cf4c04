//! Names for return addresses. Never on the hot path.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::bridge;
use crate::names::function_name;
use crate::names::loaded::Loaded;
use crate::names::provider::{self, Names};
use crate::trace::stack_id::StackId;
use crate::trace::thread;

/// One frame as debug information tells it; inlined calls are frames of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// Demangled, without a hash; empty where nothing is known.
    pub function: String,
    /// As the compiler was given it; empty where nothing is known.
    pub file: String,
    /// From 1; 0 where nothing is known.
    pub line: u32,
    /// From 1; 0 where nothing is known.
    pub column: u32,
}

/// A frame with what its function's name tells, which is read once.
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

/// Remembers what it was asked, so that each address is looked up once.
#[derive(Debug, Clone, Default)]
pub struct Symbolizer {
    known: HashMap<usize, Vec<Arc<NamedFrame>>>,
}

impl Symbolizer {
    /// Says which stacks will be asked for: somebody who is to be asked is asked for all of them at
    /// once.
    pub fn prepare(&mut self, stacks: impl IntoIterator<Item = StackId>) {
        let _pause = thread::pause();
        self.prepare_addresses(stacks.into_iter().flat_map(bridge::addresses));
    }

    /// As [`Symbolizer::prepare`], by return addresses, which are not looked at where nobody is to
    /// be asked.
    pub fn prepare_addresses(&mut self, addresses: impl Iterator<Item = usize>) {
        let Some(teller) = provider::teller() else { return };
        let unknown: HashSet<usize> =
            addresses.filter(|address| !self.known.contains_key(address)).collect();
        if !unknown.is_empty() {
            self.known.extend(tell(teller, unknown));
        }
    }

    /// The frames of a stack of the installed runtime, innermost first, up to where tracebacks end.
    pub fn frames_of(&mut self, stack: StackId) -> Vec<Arc<NamedFrame>> {
        self.frames(&bridge::addresses(stack), function_name::ends_traceback).0
    }

    /// The frames of these return addresses, innermost first, up to the first one that is the
    /// `end`, which is left out; and whether there was one.
    ///
    /// What lies beyond, the program does not look up itself: behind the outermost Rust frame comes
    /// the C library, and to read its debug information can take longer than all the rest. Not
    /// traced, whoever calls it.
    pub fn frames(
        &mut self,
        addresses: &[usize],
        end: impl Fn(&NamedFrame) -> bool,
    ) -> (Vec<Arc<NamedFrame>>, bool) {
        let _pause = thread::pause();
        self.prepare_addresses(addresses.iter().copied());
        let mut frames = Vec::new();
        for address in addresses {
            for frame in self.known.entry(*address).or_insert_with(|| named(resolve(*address))) {
                if end(frame) {
                    return (frames, true);
                }
                frames.push(frame.clone());
            }
        }
        (frames, false)
    }
}

fn named(symbols: Vec<Symbol>) -> Vec<Arc<NamedFrame>> {
    symbols.into_iter().map(|symbol| Arc::new(symbol.into())).collect()
}

/// What somebody tells of return addresses; of each something, if only that it is not known.
fn tell(
    teller: &dyn Names,
    addresses: HashSet<usize>,
) -> impl Iterator<Item = (usize, Vec<Arc<NamedFrame>>)> {
    let loaded = Loaded::now();
    let addresses: Vec<usize> = addresses.into_iter().collect();
    let of_files: Vec<(usize, _)> = addresses
        .iter()
        .filter_map(|address| Some((*address, loaded.place_of(*address)?)))
        .collect();
    let places: Vec<_> = of_files.iter().map(|(_, place)| *place).collect();
    let told = provider::told(teller.frames(&places)).into_iter();
    let mut told: HashMap<usize, Vec<Symbol>> =
        of_files.iter().map(|(address, _)| *address).zip(told).collect();
    addresses.into_iter().map(move |address| {
        let frames = told.remove(&address).filter(|frames| !frames.is_empty());
        (address, named(frames.unwrap_or_else(|| vec![Symbol::default()])))
    })
}

/// The frames at one return address, innermost first. A return address is behind the call;
/// `backtrace` looks up the byte before it.
#[cfg(feature = "symbolize")]
fn resolve(return_address: usize) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    backtrace::resolve(core::ptr::without_provenance_mut(return_address), |symbol| {
        symbols.push(Symbol {
            function: symbol.name().map(|name| format!("{name:#}")).unwrap_or_default(),
            file: symbol
                .filename()
                .map(|file| file.to_string_lossy().into_owned())
                .unwrap_or_default(),
            line: symbol.lineno().unwrap_or(0),
            column: symbol.colno().unwrap_or(0),
        });
    });
    if symbols.is_empty() {
        symbols.push(Symbol::default());
    }
    symbols
}

/// Nothing is known where nobody tells.
#[cfg(not(feature = "symbolize"))]
fn resolve(_return_address: usize) -> Vec<Symbol> {
    vec![Symbol::default()]
}
