//! Requests of a traced process for names, and the command's replies.
//!
//! Reading debug information takes libraries that every user would have to compile. It also takes
//! time in each process. The command reads each file once for all tests.

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::test_entry::FrameEntry;
use crate::protocol::wire::Exchanged;

/// Names the socket of the front's name server. It is set if the session names none: see
/// [`Session::names`](crate::protocol::session::Session::names). The harness removes it from a
/// test's environment.
pub const NAMES_VAR: &str = "TRACEMALLOC_NAMES";
/// Makes `cargo-tracemalloc` read one [`NameRequest`] from stdin and write the [`NameReply`] to
/// stdout.
pub const NAME_PROVIDER_VAR: &str = "TRACEMALLOC_TELL_NAMES";

/// A request for names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRequest {
    /// One part for each file.
    pub files: Vec<FileRequest>,
}

wire!(struct NameRequest { files });

impl Exchanged for NameRequest {
    const NAME: &'static str = "NameRequest";
}

/// The part of a request that concerns one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRequest {
    /// The absolute path of the executable or library.
    pub path: String,
    /// Return addresses, as offsets in the file's own address space.
    pub places: Vec<u64>,
    /// Whether to list statics, thread-locals and start functions of threads.
    pub statics: bool,
}

wire!(struct FileRequest { path, places, statics });

/// The reply, in the order of the request. Unknown names are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameReply {
    /// One part for each file of the request.
    pub files: Vec<FileReply>,
}

wire!(struct NameReply { files });

impl Exchanged for NameReply {
    const NAME: &'static str = "NameReply";
}

/// The part of a reply that concerns one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

wire!(struct FileReply { frames, statics, thread_locals, thread_starts });

/// A named range of addresses in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEntry {
    /// The first address.
    pub start: u64,
    /// The address after the last byte.
    pub end: u64,
    /// The demangled name, without a hash.
    pub name: String,
}

wire!(struct NamedEntry { start, end, name });
