//! Tells traced processes what stands in the files that they have loaded.

use std::collections::HashMap;
use std::env;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use addr2line::Loader;
use anyhow::{Context as _, Result};
use tracemalloc::raw::names::{Named, Statics};
use tracemalloc::raw::scan;
use tracemalloc_harness::{FrameEntry, NamedEntry, NamesTold, NamesWanted, TELL_NAMES_VAR, ToldOfFile, WantedOfFile};

use crate::term;

/// Whether this process was started for one question.
pub fn is_asked() -> bool {
    env::var_os(TELL_NAMES_VAR).is_some()
}

/// Answers the question that is on standard input.
pub fn main() -> ExitCode {
    let answer = || -> Result<()> {
        let mut question = Vec::new();
        io::stdin().read_to_end(&mut question)?;
        io::stdout().write_all(&Files::default().answer(&question)?)?;
        Ok(())
    };
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            term::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// The files that were asked about, each read once.
#[derive(Default)]
pub struct Files {
    /// By path; `None` for one that cannot be read.
    debug_information: HashMap<String, Option<Loader>>,
    statics: HashMap<String, Statics>,
}

impl Files {
    /// The answer to a question, both as they are sent.
    pub fn answer(&mut self, question: &[u8]) -> Result<Vec<u8>> {
        let wanted: NamesWanted =
            tracemalloc_harness::from_bytes(question).context("failed to understand a question for names")?;
        let files = wanted.files.iter().map(|file| self.tell(file)).collect();
        Ok(tracemalloc_harness::to_bytes(&NamesTold { files }))
    }

    fn tell(&mut self, wanted: &WantedOfFile) -> ToldOfFile {
        let mut told = ToldOfFile::default();
        if !wanted.places.is_empty() {
            let path = &wanted.path;
            let loader = self.debug_information.entry(path.clone()).or_insert_with(|| Loader::new(path).ok());
            let frames = |place: &u64| loader.as_ref().map_or(Vec::new(), |loader| frames(loader, *place));
            told.frames = wanted.places.iter().map(frames).collect();
        }
        if wanted.statics {
            let path = &wanted.path;
            let statics = self.statics.entry(path.clone()).or_insert_with(|| scan::statics_of_file(path, None));
            told.statics = statics.statics.iter().map(named).collect();
            told.thread_locals = statics.thread_locals.iter().map(named).collect();
            told.thread_starts = statics.thread_starts.iter().map(named).collect();
        }
        told
    }
}

/// The frames at a return address, innermost first: those of the byte before it, which belongs to the call.
fn frames(loader: &Loader, return_address: u64) -> Vec<FrameEntry> {
    let address = return_address.saturating_sub(1);
    let symbol = loader.find_symbol(address);
    let mut entries = Vec::new();
    if let Ok(mut frames) = loader.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let of_debug_information = frame.function.as_ref().and_then(|function| function.raw_name().ok());
            let location = frame.location.as_ref();
            entries.push(FrameEntry {
                function: of_debug_information.as_deref().or(symbol).map(demangled).unwrap_or_default(),
                file: location.and_then(|location| location.file).unwrap_or_default().to_owned(),
                line: location.and_then(|location| location.line).unwrap_or(0),
                column: location.and_then(|location| location.column).unwrap_or(0),
            });
        }
    }
    if entries.is_empty()
        && let Some(symbol) = symbol
    {
        entries.push(FrameEntry { function: demangled(symbol), file: String::new(), line: 0, column: 0 });
    }
    entries
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn named(named: &Named) -> NamedEntry {
    NamedEntry { start: named.start as u64, end: named.end as u64, name: named.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked about below.
    static ASKED_ABOUT: std::sync::Mutex<u32> = std::sync::Mutex::new(7);

    fn tell(wanted: WantedOfFile) -> ToldOfFile {
        let question = tracemalloc_harness::to_bytes(&NamesWanted { files: vec![wanted] });
        let answer = Files::default().answer(&question).expect("it is a question");
        let mut told: NamesTold = tracemalloc_harness::from_bytes(&answer).expect("it is an answer");
        told.files.remove(0)
    }

    fn this_binary() -> String {
        env::current_exe().expect("this is a program").to_str().expect("it is named in UTF-8").to_owned()
    }

    #[test]
    fn statics_are_told_that_can_be_written_and_no_others() {
        *ASKED_ABOUT.lock().expect("nobody panics") += 1;
        let told = tell(WantedOfFile { path: this_binary(), statics: true, ..WantedOfFile::default() });
        let names: Vec<&str> = told.statics.iter().map(|named| named.name.as_str()).collect();
        assert!(names.contains(&concat!(module_path!(), "::ASKED_ABOUT")), "{names:?}");
        assert!(told.thread_starts.iter().all(|named| named.name.contains("__rust_begin_short_backtrace")));
        assert!(!told.thread_starts.is_empty() && told.frames.is_empty());
    }

    #[test]
    fn what_is_no_file_of_ours_has_no_names() {
        for path in ["/nowhere", "/proc/self/maps", "/"] {
            let told = tell(WantedOfFile { path: path.to_owned(), places: vec![1, 2], statics: true });
            assert_eq!(told, ToldOfFile { frames: vec![Vec::new(); 2], ..ToldOfFile::default() }, "{path}");
        }
        assert!(Files::default().answer(b"what?").is_err());
    }
}
