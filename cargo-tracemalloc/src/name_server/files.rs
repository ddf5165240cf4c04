//! Names of addresses and statics in executables and libraries, read once per file.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use addr2line::Loader;
use anyhow::{Context as _, Result};
use cpp_demangle::DemangleOptions;
use tracemalloc::internal::heap;
use tracemalloc::internal::names::{Named, Statics};
use tracemalloc_harness::{
    FileReply, FileRequest, FrameEntry, NAME_PROVIDER_VAR, NameReply, NameRequest, NamedEntry,
    from_bytes,
};

/// Whether this process was started to answer one request.
pub fn is_requested() -> bool {
    env::var_os(NAME_PROVIDER_VAR).is_some()
}

/// Reads one request from stdin, and writes the reply to stdout.
pub fn answer_stdin() -> Result<ExitCode> {
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request).context("failed to read a name request from stdin")?;
    let reply = Files::default().answer(&request)?;
    io::stdout().write_all(&reply).context("failed to write the names to stdout")?;
    Ok(ExitCode::SUCCESS)
}

/// The files of recent requests.
#[derive(Default)]
pub struct Files {
    /// The most recently used file is the last.
    known: Vec<File>,
}

/// The number of files that are kept: a test's binary and its libraries, for all tests that run in
/// parallel.
const MOST: usize = 16;

/// The names of one file.
struct File {
    path: String,
    version: Option<Version>,
    /// `None` if it cannot be read.
    debug_information: OnceCell<Option<Loader>>,
    /// Frames of earlier requests. The tests of one binary need much the same ones.
    frames: RefCell<HashMap<u64, Vec<FrameEntry>>>,
    statics: OnceCell<Statics>,
}

impl Files {
    /// Answers a request. Both are in the wire format.
    pub fn answer(&mut self, question: &[u8]) -> Result<Vec<u8>> {
        let wanted =
            from_bytes::<NameRequest>(question).context("failed to read a name request")?;
        let files = wanted.files.iter().map(|file| self.get(&file.path).tell(file)).collect();
        Ok(tracemalloc_harness::to_bytes(&NameReply { files }))
    }

    fn get(&mut self, path: &str) -> &File {
        let version = Version::of(path);
        let known = self
            .known
            .iter()
            .position(|file| file.path == path)
            .map(|known| self.known.remove(known));
        // A test may build programs, and run several with one name.
        let file = known.filter(|file| file.version == version).unwrap_or_else(|| File {
            path: path.to_owned(),
            version,
            debug_information: OnceCell::new(),
            frames: RefCell::default(),
            statics: OnceCell::new(),
        });
        if self.known.len() == MOST {
            self.known.remove(0);
        }
        self.known.push_mut(file)
    }
}

/// Size and time of a file, which differ from those of its replacement.
#[derive(PartialEq, Eq)]
struct Version {
    len: u64,
    modified: SystemTime,
}

impl Version {
    fn of(path: &str) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { len: metadata.len(), modified: metadata.modified().ok()? })
    }
}

impl File {
    fn tell(&self, wanted: &FileRequest) -> FileReply {
        let mut reply = FileReply::default();
        if !wanted.places.is_empty() {
            let loader = self.debug_information.get_or_init(|| Loader::new(&self.path).ok());
            let library = library_name(&self.path);
            let read = |place: &u64| {
                let mut frames =
                    loader.as_ref().map_or(Vec::new(), |loader| frames(loader, *place));
                frames.iter_mut().for_each(|frame| name_library(frame, library));
                frames
            };
            let mut known = self.frames.borrow_mut();
            let frames = wanted
                .places
                .iter()
                .map(|place| known.entry(*place).or_insert_with_key(read).clone());
            reply.frames = frames.collect();
        }
        if wanted.statics {
            let statics = self.statics.get_or_init(|| heap::statics_of_file(&self.path, None));
            reply.statics = statics.statics.iter().map(named).collect();
            reply.thread_locals = statics.thread_locals.iter().map(named).collect();
            reply.thread_starts = statics.thread_starts.iter().map(named).collect();
        }
        reply
    }
}

/// The frames at a return address, innermost first. The byte before it belongs to the call.
fn frames(loader: &Loader, return_address: u64) -> Vec<FrameEntry> {
    let address = return_address.saturating_sub(1);
    let symbol = loader.find_symbol(address);
    let mut entries = Vec::new();
    if let Ok(mut frames) = loader.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let of_debug_information =
                frame.function.as_ref().and_then(|function| function.raw_name().ok());
            let location = frame.location.as_ref();
            entries.push(FrameEntry {
                function: of_debug_information
                    .as_deref()
                    .or(symbol)
                    .map(demangled)
                    .unwrap_or_default(),
                file: location.and_then(|location| location.file).unwrap_or_default().to_owned(),
                line: location.and_then(|location| location.line).unwrap_or(0),
                column: location.and_then(|location| location.column).unwrap_or(0),
            });
        }
    }
    if entries.is_empty()
        && let Some(symbol) = symbol
    {
        entries.push(FrameEntry {
            function: demangled(symbol),
            file: String::new(),
            line: 0,
            column: 0,
        });
    }
    entries
}

/// The name of a library whose functions are named after it; `None` for an executable, and for the
/// libraries that each program is linked with.
fn library_name(path: &str) -> Option<&str> {
    const OF_SYSTEM: [&str; 9] = [
        "ld-linux",
        "libc.so",
        "libm.so",
        "libdl.so",
        "libpthread.so",
        "librt.so",
        "libgcc_s.so",
        "libstdc++.so",
        "linux-vdso",
    ];
    let (_, name) = path.rsplit_once('/')?;
    let is_library = name.ends_with(".so") || name.contains(".so.");
    let is_of_system = OF_SYSTEM.iter().any(|system| name.starts_with(system));
    (is_library && !is_of_system).then_some(name)
}

/// Names a function of C without debug information after its library: `libz.so.1!deflateInit_`.
fn name_library(frame: &mut FrameEntry, library: Option<&str>) {
    let is_of_c = !frame.function.is_empty() && !frame.function.contains("::");
    if let Some(library) = library
        && frame.file.is_empty()
        && is_of_c
    {
        frame.function = format!("{library}!{}", frame.function);
    }
}

/// A name of Rust or C++ as people write it, and one of C as it is.
fn demangled(name: &str) -> String {
    match rustc_demangle::try_demangle(name) {
        Ok(name) => format!("{name:#}"),
        Err(_) => of_cpp(name).unwrap_or_else(|| name.to_owned()),
    }
}

/// A name of C++, without parameters. `None` if it is none.
fn of_cpp(name: &str) -> Option<String> {
    let symbol = name.starts_with("_Z").then(|| cpp_demangle::Symbol::new(name).ok())??;
    symbol.demangle_with_options(&DemangleOptions::new().no_params().no_return_type()).ok()
}

fn named(named: &Named) -> NamedEntry {
    NamedEntry { start: named.start as u64, end: named.end as u64, name: named.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test below requests this name.
    static ASKED_ABOUT: std::sync::Mutex<u32> = std::sync::Mutex::new(7);

    fn tell(wanted: FileRequest) -> FileReply {
        ask(&mut Files::default(), wanted)
    }

    fn ask(files: &mut Files, wanted: FileRequest) -> FileReply {
        let question = tracemalloc_harness::to_bytes(&NameRequest { files: vec![wanted] });
        let answer = files.answer(&question).expect("it is a question");
        let mut reply: NameReply =
            tracemalloc_harness::from_bytes(&answer).expect("it is an answer");
        reply.files.remove(0)
    }

    fn this_binary() -> String {
        env::current_exe()
            .expect("this is a program")
            .to_str()
            .expect("it is named in UTF-8")
            .to_owned()
    }

    #[test]
    fn writable_statics_are_named_and_no_others() {
        *ASKED_ABOUT.lock().expect("no test panics here") += 1;
        let reply =
            tell(FileRequest { path: this_binary(), statics: true, ..FileRequest::default() });
        let names: Vec<&str> = reply.statics.iter().map(|named| named.name.as_str()).collect();
        assert!(names.contains(&concat!(module_path!(), "::ASKED_ABOUT")), "{names:?}");
        assert!(
            reply
                .thread_starts
                .iter()
                .all(|named| named.name.contains("__rust_begin_short_backtrace"))
        );
        assert!(!reply.thread_starts.is_empty() && reply.frames.is_empty());
    }

    #[test]
    fn a_file_that_took_the_place_of_another_is_read_for_itself() {
        let directory = tempfile::tempdir().expect("there is room");
        let path =
            directory.path().join("built").to_str().expect("it is named in UTF-8").to_owned();
        let mut files = Files::default();
        let mut statics = || {
            ask(
                &mut files,
                FileRequest { path: path.clone(), statics: true, ..FileRequest::default() },
            )
            .statics
        };
        assert_eq!(statics(), []);
        fs::copy(this_binary(), &path).expect("it can be copied");
        assert_ne!(statics(), []);
        fs::write(&path, "no binary").expect("it can be written");
        assert_eq!(statics(), []);
    }

    #[test]
    fn files_without_further_requests_are_forgotten() {
        let mut files = Files::default();
        for number in 0..2 * MOST {
            for path in ["/nowhere/libc.so".to_owned(), format!("/nowhere/{number}")] {
                ask(&mut files, FileRequest { path, ..FileRequest::default() });
            }
        }
        assert_eq!(files.known.len(), MOST);
        assert!(
            files.known.iter().any(|file| file.path == "/nowhere/libc.so"),
            "all have asked about it"
        );
    }

    #[test]
    fn a_file_that_is_not_ours_has_no_names() {
        for path in ["/nowhere", "/proc/self/maps", "/"] {
            let reply =
                tell(FileRequest { path: path.to_owned(), places: vec![1, 2], statics: true });
            assert_eq!(
                reply,
                FileReply { frames: vec![Vec::new(); 2], ..FileReply::default() },
                "{path}"
            );
        }
        assert!(Files::default().answer(b"what?").is_err());
    }
}
