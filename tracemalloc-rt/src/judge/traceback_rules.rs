//! The rules that make a traceback of a stack's frames: trimmed at both ends, with short file
//! names, and put through the filters.

use std::sync::Arc;

use crate::judge::initialiser;
use crate::judge::known_leak::KnownLeak;
use crate::judge::prefix::Prefix;
use crate::judge::rules::Rules;
use crate::judge::traceback::Traceback;
use crate::model::domain::Domain;
use crate::model::filter::{BaseFilter, Filter, keeps};
use crate::model::frame::Frame;
use crate::model::key_type::KeyType;
use crate::names::allocated_type::allocated_type;
use crate::names::function_name;
use crate::names::named_frame::NamedFrame;
use crate::names::origin;
use crate::names::symbol::Symbol;
use crate::names::trim::{Trimmed, trim};

/// The rules of one test for tracebacks.
#[derive(Debug, Clone)]
pub struct TracebackRules {
    frames: usize,
    key: KeyType,
    prefixes: Vec<Prefix>,
    filters: Vec<Filter>,
    known_leaks: Vec<KnownLeak>,
}

impl TracebackRules {
    /// The part of these rules for tracebacks.
    pub fn new(rules: &Rules) -> Self {
        let limits = &rules.limits;
        let included = limits.include.iter().flatten().map(|pattern| Filter::new(true, pattern));
        let excluded = limits.exclude.iter().flatten().map(|pattern| Filter::new(false, pattern));
        Self {
            frames: limits.frame_count() as usize,
            key: limits.key_type(),
            prefixes: rules.prefixes.clone(),
            filters: included.chain(excluded).collect(),
            known_leaks: rules.known_leaks.clone(),
        }
    }

    /// Whether the filters keep a traceback. As in Python, they look at its most recent frame.
    pub fn keeps(&self, traceback: &Traceback) -> bool {
        if self.filters.is_empty() {
            return true;
        }
        let frames: Vec<Frame> = traceback
            .traceback
            .iter()
            .map(|frame| Frame::new(frame.file.as_str(), frame.line))
            .collect();
        let traceback =
            crate::model::traceback::Traceback::new(frames, Some(traceback.total_nframe));
        let filters: Vec<&dyn BaseFilter> =
            self.filters.iter().map(|filter| filter as &dyn BaseFilter).collect();
        keeps(&filters, 0, &traceback)
    }

    /// The traceback of blocks of a language with these frames, which come innermost first.
    pub fn traceback(&self, domain: Domain, frames: &[Arc<NamedFrame>]) -> Traceback {
        let frames = &without_check(frames);
        let initialiser = initialiser::of(frames);
        let Trimmed { of_std, of_program: mut shown } = trim(frames);
        // rustc wraps a closure around a test function, which says no more than the function.
        if let [inner @ .., closure] = shown {
            let is_test = |test: &Arc<NamedFrame>| {
                function_name::is_closure_of(&closure.function, &test.function)
            };
            if inner.last().is_some_and(is_test) {
                shown = inner;
            }
        }
        // `Bencher::iter` and its callers are the harness's.
        let shown: Vec<_> = shown.iter().filter(|frame| !is_harness(frame)).collect();
        let mut traceback: Vec<Symbol> =
            shown.iter().take(self.frames).map(|frame| self.frame(frame)).rev().collect();
        if traceback.is_empty() {
            traceback.push(Symbol {
                function: String::new(),
                file: UNKNOWN.to_owned(),
                line: 0,
                column: 0,
            });
        }
        Traceback {
            known: self.known_leaks.iter().position(|known| known.is_in(&traceback)),
            total_nframe: shown.len().max(1) as u32,
            traceback,
            domain,
            type_name: allocated_type(of_std),
            initialiser,
        }
    }

    /// The key of a traceback's group, which is also the traceback that the group is shown with.
    pub fn key(&self, mut traceback: Traceback) -> Traceback {
        if self.key != KeyType::Traceback {
            let older = traceback.traceback.len() - 1;
            traceback.traceback.drain(..older);
            traceback.type_name = None;
            traceback.total_nframe = 1;
            let frame = &mut traceback.traceback[0];
            frame.column = 0;
            if self.key == KeyType::Filename {
                frame.line = 0;
                frame.function.clear();
            }
        }
        traceback
    }

    fn frame(&self, frame: &NamedFrame) -> Symbol {
        Symbol {
            function: frame.pretty().to_owned(),
            file: self.file(&frame.file),
            line: frame.line,
            column: frame.column,
        }
    }

    fn file(&self, file: &str) -> String {
        if file.is_empty() { UNKNOWN.to_owned() } else { Prefix::shorten(file, &self.prefixes) }
    }
}

/// The frames without those that a check puts between a body and its caller.
///
/// The caller of a function with the attribute is left out. The closure that the attribute makes of
/// the body goes by the function's own name, because it says nothing that the function does not
/// say.
fn without_check(frames: &[Arc<NamedFrame>]) -> Vec<Arc<NamedFrame>> {
    let mut shown: Vec<Arc<NamedFrame>> = Vec::with_capacity(frames.len());
    let mut rest = frames;
    while let Some((frame, outer)) = rest.split_first() {
        rest = outer;
        if origin::is_checked_body(frame) {
            if let Some(body) = shown.iter_mut().rfind(|frame| !origin::is_std(frame)) {
                if let Some(function) = function_name::function_of_closure(&body.function) {
                    let function = function.to_owned();
                    *body = Arc::new(Symbol { function, ..(***body).clone() }.into());
                }
            }
            return shown;
        }
        if origin::is_measured_code(frame) {
            // The code is called by `call_once` of a reference to it.
            let code = shown.iter().rposition(|frame| !origin::is_std(frame));
            shown.truncate(code.map_or(0, |code| code + 1));
            let is_program =
                |frame: &Arc<NamedFrame>| !origin::is_runtime(frame) && !origin::is_std(frame);
            rest = &outer[outer.iter().position(is_program).unwrap_or(outer.len())..];
        } else {
            shown.push(frame.clone());
        }
    }
    shown
}

/// Python's name for an unknown file.
const UNKNOWN: &str = "<unknown>";

/// Whether a frame belongs to the harness.
fn is_harness(frame: &NamedFrame) -> bool {
    frame.path().starts_with("tracemalloc_harness::")
}
