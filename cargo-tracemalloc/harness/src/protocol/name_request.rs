//! Requests of a traced process for names, and the command's replies.
//!
//! Reading debug information takes libraries that every user would have to compile. It also takes
//! time in each process. The command reads each file once for all tests.

use nanoserde::{DeBin, SerBin};

use crate::protocol::test_entry::FrameEntry;
use crate::protocol::wire::{self, Exchanged, WireError};

/// Names the socket of the front's name server. It is set if the session names none: see
/// [`Session::names`](crate::protocol::session::Session::names). The harness removes it from a
/// test's environment.
pub const NAMES_VAR: &str = "TRACEMALLOC_NAMES";
/// Makes `cargo-tracemalloc` read one [`NameRequest`] from stdin and write the [`NameReply`] to
/// stdout.
pub const NAME_PROVIDER_VAR: &str = "TRACEMALLOC_TELL_NAMES";

/// A request for names.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct NameRequest {
    /// One part for each file.
    pub files: Vec<FileRequest>,
}

impl Exchanged for NameRequest {
    const NAME: &'static str = "NameRequest";
}

impl NameRequest {
    /// Returns the request in these bytes, which any process of this user may have sent. Its
    /// lengths are checked first, because nanoserde allocates as much as they say.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](wire::from_bytes).
    pub fn of_client(bytes: &[u8]) -> Result<Self, WireError> {
        match after_files(wire::content::<Self>(bytes)?) {
            Some([]) => wire::from_bytes(bytes),
            _ => Err(WireError::Damaged),
        }
    }
}

/// The bytes after all files. `None` if a length is larger than what follows.
fn after_files(content: &[u8]) -> Option<&[u8]> {
    let (files, mut rest) = length(content)?;
    for _ in 0..files {
        for size in [1, 8] {
            let (length, items) = length(rest)?;
            rest = items.get(length.checked_mul(size)?..)?;
        }
        let (_statics, after) = rest.split_first()?;
        rest = after;
    }
    Some(rest)
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u64::from_le_bytes(*length)).ok()?, rest))
}

/// The part of a request that concerns one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct FileRequest {
    /// The absolute path of the executable or library.
    pub path: String,
    /// Return addresses, as offsets in the file's own address space.
    pub places: Vec<u64>,
    /// Whether to list statics, thread-locals and start functions of threads.
    pub statics: bool,
}

/// The reply, in the order of the request. Unknown names are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct NameReply {
    /// One part for each file of the request.
    pub files: Vec<FileReply>,
}

impl Exchanged for NameReply {
    const NAME: &'static str = "NameReply";
}

/// The part of a reply that concerns one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct FileReply {
    /// The frames at each address, innermost first. File names are as the compiler got them.
    pub frames: Vec<Vec<FrameEntry>>,
    /// Writable statics, by address.
    pub statics: Vec<NamedEntry>,
    /// Thread-locals, by offset in a thread's copy.
    pub thread_locals: Vec<NamedEntry>,
    /// Functions of std that threads start with, by address.
    pub thread_starts: Vec<NamedEntry>,
}

/// A named range of addresses in a file.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct NamedEntry {
    /// The first address.
    pub start: u64,
    /// The address after the last byte.
    pub end: u64,
    /// The demangled name, without a hash.
    pub name: String,
}
