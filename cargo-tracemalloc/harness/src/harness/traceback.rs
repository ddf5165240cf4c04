//! From the frames of a stack to the traceback that its reader knows: trimmed at both ends, with short file names.

use std::path::MAIN_SEPARATOR;

use tracemalloc::raw::{Symbol, Trimmed, symbol_name, trim};
use tracemalloc::{BaseFilter, Filter, Frame};

use crate::harness::initialiser;
use crate::{FrameEntry, Known, KnownLeak, PathPrefix, Session};

/// The traceback of a group of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Traceback {
    /// Oldest first.
    pub traceback: Vec<FrameEntry>,
    /// Before the cut to `frames`.
    pub total_nframe: u32,
    pub type_name: Option<String>,
    pub initialiser: Option<&'static str>,
    pub known: Option<Known>,
}

/// Makes tracebacks as a session's options say.
#[derive(Debug, Clone)]
pub struct Shortener {
    frames: usize,
    prefixes: Vec<PathPrefix>,
    include: Vec<Filter>,
    exclude: Vec<Filter>,
    known_leaks: Vec<KnownLeak>,
}

impl Shortener {
    /// Shortens as the session says.
    pub fn new(session: &Session) -> Self {
        Self {
            frames: session.options.frames as usize,
            prefixes: session.path_prefixes.clone(),
            include: session.options.include.iter().map(|pattern| Filter::new(true, pattern)).collect(),
            exclude: session.options.exclude.iter().map(|pattern| Filter::new(false, pattern)).collect(),
            known_leaks: session.known_leaks.clone(),
        }
    }

    /// Whether the filters let a traceback through: they look at its most recent frame, as Python's do.
    pub fn keeps(&self, traceback: &Traceback) -> bool {
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        let frames: Vec<Frame> =
            traceback.traceback.iter().map(|frame| Frame::new(frame.file.as_str(), frame.line)).collect();
        let traceback = tracemalloc::Traceback::new(frames, Some(traceback.total_nframe));
        let matches = |filter: &Filter| filter.matches(0, &traceback);
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.exclude.iter().any(matches)
    }

    /// The traceback of these frames, which come innermost first and end where the program's own end.
    pub fn traceback(&self, symbols: &[Symbol]) -> Traceback {
        let initialiser = initialiser::of(symbols);
        let Trimmed { of_std, of_program: mut shown } = trim(symbols);
        // The closure that rustc wraps around a test function says nothing that the function does not say.
        if let [.., test, closure] = shown
            && symbol_name::is_closure_of(&closure.function, &test.function)
        {
            shown = &shown[..shown.len() - 1];
        }
        // `Bencher::iter` is ours, and so is what it is called by.
        let shown: Vec<&Symbol> = shown.iter().filter(|symbol| !is_harness(symbol)).collect();
        let mut traceback: Vec<FrameEntry> =
            shown.iter().take(self.frames).map(|symbol| self.frame(symbol)).rev().collect();
        if traceback.is_empty() {
            traceback.push(FrameEntry { function: String::new(), file: UNKNOWN.to_owned(), line: 0, column: 0 });
        }
        Traceback {
            known: self.known_leaks.iter().find(|known| known.is_in(&traceback)).map(|known| known.known.clone()),
            total_nframe: shown.len().max(1) as u32,
            traceback,
            type_name: symbol_name::allocated_type(of_std),
            initialiser,
        }
    }

    fn frame(&self, symbol: &Symbol) -> FrameEntry {
        FrameEntry {
            function: symbol_name::pretty(&symbol.function),
            file: self.file(&symbol.file),
            line: symbol.line,
            column: symbol.column,
        }
    }

    /// `src/lib.rs` inside the workspace, `serde_json-1.0.154/src/de.rs` in a dependency, `std/src/io/mod.rs`.
    pub fn file(&self, file: &str) -> String {
        if file.is_empty() {
            return UNKNOWN.to_owned();
        }
        if let Some(inside) = symbol_name::inside_std(file) {
            return inside.to_owned();
        }
        for PathPrefix { prefix, replacement } in &self.prefixes {
            let Some(rest) = file.strip_prefix(prefix.as_str()) else { continue };
            let Some(rest) = rest.strip_prefix(['/', MAIN_SEPARATOR]) else { continue };
            let rest = rest.trim_start_matches("./");
            return if replacement.is_empty() { rest.to_owned() } else { format!("{replacement}/{rest}") };
        }
        file.to_owned()
    }
}

/// Python's name for a file that is not known.
const UNKNOWN: &str = "<unknown>";

/// Whether a frame belongs to the harness.
fn is_harness(symbol: &Symbol) -> bool {
    symbol_name::path(&symbol.function).starts_with("tracemalloc_harness::")
}
