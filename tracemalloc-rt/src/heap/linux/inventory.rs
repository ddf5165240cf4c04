//! The inventory of this process: the places and names of its data and threads, read before it is
//! copied.

use crate::heap::holder::{Holder, HolderKind};
use crate::heap::known_holder::KnownHolder;
use crate::heap::linux::known_names::KnownNames;
use crate::heap::linux::modules::{self, Module};
use crate::heap::linux::process::File;
use crate::heap::linux::range::{Range, cut};
use crate::heap::linux::reply::{Root, RootKind};
use crate::heap::linux::request::StaticRange;
use crate::heap::linux::thread_names::{self, ThreadName};
use crate::names::provider::Named;
use crate::os::thread_id::thread_id;
use crate::trace::thread_stacks;
use crate::util::fnmatch::Pattern;
use crate::util::sort::sort_by_key;

/// The places and names of this process's data and threads.
#[derive(Debug)]
pub struct Inventory {
    /// The parts of all modules' data, by address.
    pub statics: Vec<StaticRange>,
    /// All threads but the calling one.
    pub threads: Vec<ThreadName>,
    /// The numbers of threads that are known holders.
    pub known_threads: Vec<i32>,
    /// Bytes of thread-local storage at a thread's pointer.
    pub thread_local_size: usize,
    /// The executable's thread-locals, in order, as offsets from a thread's pointer.
    pub thread_locals: Vec<Range>,
    /// Code of the C library, if that is a library of its own.
    pub c_code: Range,
    /// The number of the calling thread.
    pub caller: i32,
    modules: Vec<Module>,
}

/// The words of a stack in which a thread's first functions keep their variables.
const BASE_WORDS: usize = 4096;
/// Linux maps nothing below this address.
const LOWEST_POINTER: usize = 1 << 16;

impl Inventory {
    /// Reads it. `known` are the known holders.
    pub fn new(known: &[KnownHolder<'_>]) -> Self {
        let mut modules = modules::loaded();
        let thread_local_size = modules.iter().map(|module| module.thread_local_size).sum();
        let caller = thread_id();
        let stack_ends = thread_names::stack_ends(caller, thread_local_size);
        modules::name(
            &mut modules,
            stack_ends.iter().flat_map(|end| &end.words).copied().collect(),
        );
        let threads = thread_names::named(stack_ends, &modules);
        let known = KnownNames::new(known);
        let is_known = |thread: &&ThreadName| {
            let shares = |statics: &Pattern| {
                let stack = thread_names::upper_stack(thread.id, thread_local_size, BASE_WORDS);
                shares_pointer(&stack, &modules, statics)
            };
            thread.start.as_ref().is_some_and(|start| known.has_thread(start, shares))
        };
        let known_threads = threads.iter().filter(is_known).map(|thread| thread.id).collect();
        let mut statics = Vec::new();
        for module in &modules {
            for range in &module.data {
                statics_of(module, *range, &known, &mut statics);
            }
        }
        sort_by_key(&mut statics, |part| part.range);
        let executable = modules.iter().find(|module| module.is_executable);
        let thread_locals = executable.map_or(Vec::new(), |executable| {
            let base = executable.thread_locals_from();
            let locals = executable.thread_locals.iter();
            locals
                .map(|local| (base.wrapping_add(local.start), base.wrapping_add(local.end)))
                .collect()
        });
        let mut c_code =
            modules.iter().filter(|module| module.is_c()).flat_map(|module| &module.code);
        let c_code = c_code.next().copied().unwrap_or((0, 0));
        Self {
            statics,
            threads,
            known_threads,
            thread_local_size,
            thread_locals,
            c_code,
            caller,
            modules,
        }
    }

    /// The holder that a root stands for.
    pub fn holder(&self, root: &Root) -> Holder {
        match root.kind {
            RootKind::Static => self.static_at(root),
            RootKind::ThreadLocal => self.thread_local_at(root),
            RootKind::Stack => self.thread(root.thread, HolderKind::Stack),
            RootKind::Register => self.thread(root.thread, HolderKind::Register),
            RootKind::Foreign => Holder::new(HolderKind::Foreign, "foreign memory".to_owned()),
        }
    }

    /// The offset of the pointer in the static or thread-local that a root stands for, if that has
    /// a name.
    pub fn offset(&self, root: &Root) -> Option<usize> {
        let (symbol, place) = match root.kind {
            RootKind::Static => {
                let module = self.modules.iter().find(|one| one.has_data_at(root.address))?;
                (modules::find(&module.statics, root.address)?, root.address)
            }
            RootKind::ThreadLocal => self.thread_local(root)?,
            RootKind::Stack | RootKind::Register | RootKind::Foreign => return None,
        };
        Some(place - symbol.start)
    }

    fn static_at(&self, root: &Root) -> Holder {
        let known = self.statics.get(root.number as usize).and_then(|part| part.known);
        let Some(module) = self.modules.iter().find(|module| module.has_data_at(root.address))
        else {
            return Holder::new(HolderKind::Library, "data of a library".to_owned());
        };
        let symbol = modules::find(&module.statics, root.address);
        let name = match symbol {
            Some(symbol) => symbol.name.clone(),
            None => format!(
                "a static of {}+{:#x}",
                module.name(),
                root.address.wrapping_sub(module.bias)
            ),
        };
        let (kind, name) = match (module.is_executable, symbol) {
            (true, _) => (HolderKind::Static, name),
            (false, Some(_)) => (HolderKind::Library, format!("{name} in {}", module.name())),
            (false, None) => (HolderKind::Library, name),
        };
        Holder { known: known.is_some(), known_number: known, ..Holder::new(kind, name) }
    }

    fn thread_local_at(&self, root: &Root) -> Holder {
        let name = match self.thread_local(root) {
            Some((symbol, _)) => symbol.name.clone(),
            None => "thread-local storage".to_owned(),
        };
        Holder { name, ..self.thread(root.thread, HolderKind::ThreadLocal) }
    }

    /// The thread-local of the executable that a root stands for, and the offset of the pointer in
    /// the thread's copy of all of them.
    fn thread_local(&self, root: &Root) -> Option<(&Named, usize)> {
        let pointer = if root.thread == self.caller {
            thread_stacks::current_pointer()
        } else {
            thread_stacks::all()
                .filter(|stack| stack.thread == root.thread)
                .last()
                .map(|stack| stack.thread_pointer)
        };
        let executable = self.modules.iter().find(|module| module.is_executable)?;
        let base = pointer?.wrapping_add(executable.thread_locals_from());
        let place = root.address.wrapping_sub(base);
        Some((modules::find(&executable.thread_locals, place)?, place))
    }

    fn thread(&self, id: i32, kind: HolderKind) -> Holder {
        let thread = self.threads.iter().find(|thread| thread.id == id);
        let name = match thread {
            _ if id == std::process::id() as i32 => "the main thread".to_owned(),
            Some(thread) => thread.name.clone(),
            None if id == self.caller => "the calling thread".to_owned(),
            None => "a thread".to_owned(),
        };
        Holder {
            known: self.known_threads.contains(&id),
            thread: Some(name.clone()),
            start: thread.and_then(|thread| thread.start.clone()),
            ..Holder::new(kind, name)
        }
    }
}

/// Whether these words contain a pointer that a static of this pattern contains too.
fn shares_pointer(words: &[usize], modules: &[Module], pattern: &Pattern) -> bool {
    const MOST_WORDS: usize = 64;
    let Some(memory) = File::open(c"/proc/self/mem") else { return false };
    let statics = modules.iter().flat_map(|module| &module.statics);
    statics.filter(|symbol| pattern.matches(&symbol.name)).any(|symbol| {
        let mut values = [0; MOST_WORDS];
        let size = (symbol.end.saturating_sub(symbol.start) / 8).min(MOST_WORDS);
        let read = memory.words_at(&mut values[..size], symbol.start);
        values[..read].iter().any(|value| *value >= LOWEST_POINTER && words.contains(value))
    })
}

/// Adds a range of a module's data, cut into its statics and the gaps between them.
fn statics_of(module: &Module, range: Range, known: &KnownNames, parts: &mut Vec<StaticRange>) {
    let of_c = module.is_c();
    let statics = module.statics.iter().map(|symbol| ((symbol.start, symbol.end), symbol));
    parts.extend(cut(range, statics).map(|(range, symbol)| {
        let known = symbol.and_then(|symbol| known.static_number(&symbol.name));
        StaticRange { range, known, of_c }
    }));
}

#[cfg(all(test, feature = "symbolize"))]
mod tests {
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_stack_shares_pointers_with_statics_and_no_other_words() {
        static POOL: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
        static SMALL: AtomicUsize = AtomicUsize::new(0);

        let mut modules = modules::loaded();
        modules::name(&mut modules, Vec::new());
        let shares = |words: &[usize], name: &str| {
            let pattern = Pattern::new(&format!("*::inventory::tests::*::{name}"));
            shares_pointer(words, &modules, &pattern)
        };
        let mut pool = 0_u8;
        let address = (&raw mut pool).addr();
        assert!(!shares(&[0, address], "POOL"), "no pool yet");
        POOL.store(&raw mut pool, Ordering::Relaxed);
        SMALL.store(7, Ordering::Relaxed);
        assert!(shares(&[0, address], "POOL"));
        assert!(!shares(&[0, address + 8], "POOL"), "another pool");
        assert!(!shares(&[0, 7], "SMALL"), "no pointer");
        assert!(!shares(&[0, address], "NO_STATIC"));
    }
}
