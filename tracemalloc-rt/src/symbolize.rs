//! Names for return addresses, through the `backtrace` crate. Never on the hot path.

use std::collections::HashMap;

use crate::executable::Executable;
use crate::handshake;
use crate::stacks::StackId;
use crate::symbol_name;
use crate::thread;

/// One frame as debug information tells it; inlined calls are frames of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Remembers what it was asked, so that each address is looked up once.
#[derive(Debug, Clone, Default)]
pub struct Symbolizer {
    known: HashMap<usize, Vec<Symbol>>,
}

impl Symbolizer {
    /// Takes over what another process of this executable has looked up: frames, innermost first, by place in the file.
    pub fn learn(&mut self, known: impl IntoIterator<Item = (usize, Vec<Symbol>)>) {
        let executable = Executable::of_this_process();
        let known = known.into_iter();
        self.known.extend(known.filter_map(|(place, frames)| Some((executable.address_of(place)?, frames))));
    }

    /// What is known of the executable, by place in its file. What is not in it, another process would find elsewhere.
    pub fn known(&self) -> Vec<(usize, &[Symbol])> {
        let executable = Executable::of_this_process();
        let known = self.known.iter();
        known.filter_map(|(address, frames)| Some((executable.place_of(*address)?, frames.as_slice()))).collect()
    }

    /// How many addresses are known.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// The frames of a stack of the installed runtime, innermost first, up to where tracebacks end.
    pub fn frames_of(&mut self, stack: StackId) -> Vec<Symbol> {
        self.frames(&handshake::addresses(stack), symbol_name::ends_traceback).0
    }

    /// The frames of these return addresses, innermost first, up to the first one that is the `end`, which is left out; and
    /// whether there was one.
    ///
    /// What lies beyond is not looked up: behind the outermost Rust frame comes the C library, and to read its debug
    /// information can take longer than all the rest. Not traced, whoever calls it.
    pub fn frames(&mut self, addresses: &[usize], end: impl Fn(&Symbol) -> bool) -> (Vec<Symbol>, bool) {
        let _pause = thread::pause();
        let mut frames = Vec::new();
        for address in addresses {
            for symbol in self.known.entry(*address).or_insert_with(|| resolve(*address)) {
                if end(symbol) {
                    return (frames, true);
                }
                frames.push(symbol.clone());
            }
        }
        (frames, false)
    }
}

/// The frames at one return address, innermost first. A return address is behind the call; `backtrace` looks up the byte before it.
fn resolve(return_address: usize) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    backtrace::resolve(core::ptr::without_provenance_mut(return_address), |symbol| {
        symbols.push(Symbol {
            function: symbol.name().map(|name| format!("{name:#}")).unwrap_or_default(),
            file: symbol.filename().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default(),
            line: symbol.lineno().unwrap_or(0),
            column: symbol.colno().unwrap_or(0),
        });
    });
    if symbols.is_empty() {
        symbols.push(Symbol { function: String::new(), file: String::new(), line: 0, column: 0 });
    }
    symbols
}
