//! Names for return addresses, looked up once each. Never on the hot path.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::names::loaded::Loaded;
use crate::names::named_frame::NamedFrame;
use crate::names::provider::{self, Provider};
use crate::names::symbol::Symbol;
#[cfg(feature = "symbolize")]
use crate::os::fork::ForkLock;
use crate::trace::thread;

/// Return addresses with their frames, as far as they have been looked up.
#[derive(Debug, Clone, Default)]
pub struct Symbolizer {
    known: HashMap<usize, Vec<Arc<NamedFrame>>>,
}

impl Symbolizer {
    /// Announces addresses that [`Symbolizer::frames`] will be called with: a provider then gets
    /// one request for all of them. Without a provider, the addresses are not even read.
    pub fn prepare(&mut self, addresses: impl Iterator<Item = usize>) {
        let Some(provider) = provider::provider() else { return };
        let _pause = thread::pause();
        let unknown: HashSet<usize> =
            addresses.filter(|address| !self.known.contains_key(address)).collect();
        if !unknown.is_empty() {
            self.known.extend(provided(provider, unknown));
        }
    }

    /// The frames of these return addresses, innermost first, up to the first `end`, which is left
    /// out. Also returns whether there was an end. Nothing of this is traced.
    ///
    /// The second argument of `end` says if the frame is physical: that of a function, and not that
    /// of an inlined call. Frames beyond the end are not looked up. Behind the outermost Rust frame
    /// comes the C library, and reading its debug information can take longer than all the rest.
    pub fn frames(
        &mut self,
        addresses: &[usize],
        end: impl Fn(&NamedFrame, bool) -> bool,
    ) -> (Vec<Arc<NamedFrame>>, bool) {
        let _pause = thread::pause();
        self.prepare(addresses.iter().copied());
        let mut frames = Vec::new();
        for address in addresses {
            let of_address = self.known.entry(*address).or_insert_with(|| named(resolve(*address)));
            let physical = of_address.len().saturating_sub(1);
            for (index, frame) in of_address.iter().enumerate() {
                if end(frame, index == physical) {
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

/// The provider's frames for each of these return addresses: one without a name if it has none.
fn provided(
    provider: &dyn Provider,
    addresses: HashSet<usize>,
) -> impl Iterator<Item = (usize, Vec<Arc<NamedFrame>>)> {
    let loaded = Loaded::now();
    let addresses: Vec<usize> = addresses.into_iter().collect();
    let of_files: Vec<(usize, _)> = addresses
        .iter()
        .filter_map(|address| Some((*address, loaded.place_of(*address)?)))
        .collect();
    let places: Vec<_> = of_files.iter().map(|(_, place)| *place).collect();
    let reply = provider::reply_or_missing(provider.frames(&places)).into_iter();
    let mut reply: HashMap<usize, Vec<Symbol>> =
        of_files.iter().map(|(address, _)| *address).zip(reply).collect();
    addresses.into_iter().map(move |address| {
        let frames = reply.remove(&address).filter(|frames| !frames.is_empty());
        (address, named(frames.unwrap_or_else(|| vec![Symbol::default()])))
    })
}

/// The frames at one return address, innermost first. A return address is behind the call;
/// `backtrace` looks up the byte before it.
#[cfg(feature = "symbolize")]
fn resolve(return_address: usize) -> Vec<Symbol> {
    /// Held while `backtrace` holds its own lock, so that no `fork` leaves that one held for ever
    /// in the child.
    static RESOLVING: ForkLock<()> = ForkLock::new(());
    let mut symbols = Vec::new();
    RESOLVING.with(|()| {
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
    });
    if symbols.is_empty() {
        symbols.push(Symbol::default());
    }
    symbols
}

/// Without a reader of debug information and without a provider, no address has a name.
#[cfg(not(feature = "symbolize"))]
fn resolve(_return_address: usize) -> Vec<Symbol> {
    vec![Symbol::default()]
}
