//! The request to the copy: made before the process is copied.

use crate::heap::linux::original::Original;
use crate::heap::linux::process::Deadline;
use crate::heap::linux::ptrace::Thread;
use crate::heap::linux::range::Range;
use crate::heap::linux::thread_cache::Layout;
use crate::heap::stranger::Stranger;
use crate::model::domain::Domain;

/// All of it.
#[derive(Debug)]
pub struct Request<'a> {
    /// Data of modules, by address, without overlaps.
    pub statics: &'a [StaticRange],
    /// The stacks whose blocks are wanted, sorted. If there are none, the reply has the sums of all
    /// roots, and the lost blocks of all stacks.
    pub wanted: &'a [u32],
    /// The languages whose blocks these sums have.
    pub domain: Domain,
    /// Strangers to known statics, sorted: no path leads from these statics to their blocks.
    pub strangers: &'a [Stranger],
    /// Threads that are known holders.
    pub known_threads: &'a [i32],
    /// The stopped threads.
    pub threads: &'a [Thread],
    /// Whether the stopped threads are all threads but the calling one.
    pub all_threads: bool,
    /// The calling thread.
    pub caller: Caller,
    /// Bytes of thread-local storage at a thread's pointer.
    pub thread_local_size: usize,
    /// The thread-locals in it, in order, as offsets from the thread's pointer.
    pub thread_locals: &'a [Range],
    /// Code of the C library, if that is a library of its own.
    pub c_code: Range,
    /// The layout of the C library's thread caches; `None` if it has none.
    pub cache_layout: Option<Layout>,
    /// Files of the process; `None` if they could not be opened.
    pub original: Option<&'a Original>,
    /// The end of the search.
    pub deadline: Deadline,
}

/// The calling thread.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Its number.
    pub id: i32,
    /// Its stack counts above this address.
    pub stack_from: usize,
    /// Its thread pointer.
    pub thread_pointer: usize,
}

/// A part of a module's data.
#[derive(Debug, Clone, Copy)]
pub struct StaticRange {
    /// Its addresses.
    pub range: Range,
    /// Its number in the list of known holders.
    pub known: Option<u32>,
    /// Whether it belongs to the C library, whose lists of free chunks hold nothing.
    pub of_c: bool,
}
