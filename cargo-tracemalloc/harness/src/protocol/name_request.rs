//! What a traced process asks the command: what stands in the files that it has loaded.
//!
//! To read debug information takes libraries that would have to be compiled for every user, and
//! more time in a process that reads it for one test than in one that has it read for the test
//! before.

use nanoserde::{DeBin, SerBin};

use crate::protocol::test_entry::FrameEntry;
use crate::protocol::wire::Exchanged;

/// Names the socket on which the front tells names, where the command does not: see
/// [`Session::names`](crate::protocol::session::Session::names). The harness takes it out of a test's environment.
pub const NAMES_VAR: &str = "TRACEMALLOC_NAMES";
/// Has `cargo-tracemalloc` read [`NameRequest`] from its standard input, and write [`NameReply`] to
/// its standard output.
pub const NAME_PROVIDER_VAR: &str = "TRACEMALLOC_TELL_NAMES";

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct NameRequest {
    /// By file.
    pub files: Vec<FileRequest>,
}

impl Exchanged for NameRequest {
    const NAME: &'static str = "NameRequest";
}

/// What is asked of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct FileRequest {
    /// The executable or a library, absolute.
    pub path: String,
    /// Return addresses, as the file says where it is.
    pub places: Vec<u64>,
    /// Whether statics, thread-locals and functions that threads begin with are asked for.
    pub statics: bool,
}

/// The answer, in the order of the question. What is not known is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct NameReply {
    /// By file.
    pub files: Vec<FileReply>,
}

impl Exchanged for NameReply {
    const NAME: &'static str = "NameReply";
}

/// What one file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct FileReply {
    /// The frames at each place, innermost first, files as the compiler was given them.
    pub frames: Vec<Vec<FrameEntry>>,
    /// Statics that can be written, by address.
    pub statics: Vec<NamedEntry>,
    /// Thread-locals, by their place in a thread's copy.
    pub thread_locals: Vec<NamedEntry>,
    /// Functions of std that threads begin with, by address.
    pub thread_starts: Vec<NamedEntry>,
}

/// Something in a file that has a name.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct NamedEntry {
    /// Where it begins.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// Demangled, without a hash.
    pub name: String,
}
