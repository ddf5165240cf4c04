//! What the processes of one binary's tests have read of its debug information: so that each address is looked up once, and not
//! once a test.
//!
//! Many tests start the same threads and fill the same caches, and to look their stacks up in a large binary takes longer than
//! most tests. The file is beside the binary's fragments. Of two processes that write at once, one may lose what it has
//! found; somebody will look it up again.

use std::path::{Path, PathBuf};

use nanoserde::{DeBin, SerBin};
use tracemalloc::raw::{Symbol, Symbolizer};

use crate::harness::judged::frame_entry;
use crate::{Exchanged, FrameEntry, fragment};

/// The file's name.
const SYMBOLS_FILE: &str = "symbols";

/// What the file holds.
#[derive(Default, SerBin, DeBin)]
struct Symbols {
    known: Vec<Known>,
}

impl Exchanged for Symbols {
    const NAME: &'static str = "Symbols";
}

/// What one place in the binary reads as.
#[derive(SerBin, DeBin)]
struct Known {
    place: u64,
    /// Innermost first.
    frames: Vec<FrameEntry>,
}

/// The file, and how much of it is known here.
#[derive(Debug)]
pub struct SharedSymbols {
    path: Option<PathBuf>,
    shared: Option<usize>,
}

impl SharedSymbols {
    /// Those of the binary that this fragment is of; none where there is no fragment.
    pub fn beside(fragment: Option<&Path>) -> Self {
        Self { path: fragment.map(|fragment| fragment.with_file_name(SYMBOLS_FILE)), shared: None }
    }

    /// Tells a symbolizer what others have looked up, if it has not been told yet.
    pub fn tell(&mut self, symbolizer: &mut Symbolizer) {
        if self.shared.is_none() {
            symbolizer.learn(self.read());
            self.shared = Some(symbolizer.count());
        }
    }

    /// Tells others what a symbolizer has looked up since it was told.
    pub fn note(&mut self, symbolizer: &mut Symbolizer) {
        let Some(path) = self.path.as_ref().filter(|_| self.shared != Some(symbolizer.count())) else { return };
        // Others have written meanwhile.
        symbolizer.learn(self.read());
        let frames = |symbols: &[Symbol]| symbols.iter().cloned().map(frame_entry).collect();
        let known = symbolizer
            .known()
            .into_iter()
            .map(|(place, symbols)| Known { place: place as u64, frames: frames(symbols) });
        // Where it cannot be written, others look up again.
        let _ = fragment::write(path, &Symbols { known: known.collect() });
        self.shared = Some(symbolizer.count());
    }

    fn read(&self) -> impl Iterator<Item = (usize, Vec<Symbol>)> {
        let bytes = self.path.as_ref().and_then(|path| std::fs::read(path).ok());
        let symbols: Symbols = bytes.and_then(|bytes| crate::from_bytes(&bytes).ok()).unwrap_or_default();
        let known = symbols.known.into_iter();
        known.map(|known| (known.place as usize, known.frames.into_iter().map(symbol).collect()))
    }
}

fn symbol(entry: FrameEntry) -> Symbol {
    let FrameEntry { function, file, line, column } = entry;
    Symbol { function, file, line, column }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_one_process_has_looked_up_another_knows() {
        let directory = std::env::temp_dir().join(format!("tracemalloc-symbols-{}", std::process::id()));
        let fragment = fragment::of_test(&directory, 1);
        let here = SharedSymbols::beside as *const () as usize + 1;
        let (mut first, mut second) = (Symbolizer::default(), Symbolizer::default());
        let mut counts = Vec::new();
        for symbolizer in [&mut first, &mut second] {
            let mut shared = SharedSymbols::beside(Some(&fragment));
            shared.tell(symbolizer);
            counts.push(symbolizer.count());
            let (frames, _) = symbolizer.frames(&[here], |_| false);
            assert!(frames[0].function.contains("SharedSymbols"), "{frames:?}");
            shared.note(symbolizer);
        }
        assert_eq!(counts, [0, 1]);
        assert_eq!(first.known(), second.known());
        std::fs::remove_dir_all(directory).expect("both have written there");
    }
}
