//! Asks the copy, and puts its answer into names.

use core::time::Duration;
use std::collections::HashMap;

mod answer;
mod blocks;
mod glibc_malloc;
mod known_holders;
mod list;
mod maps;
mod modules;
mod process;
mod ptrace;
mod search;
mod thread_names;
mod thread_stacks;

use self::answer::{Answer, Entry, Hindrance, Root, RootKind};
use self::glibc_malloc::Range;
use self::known_holders::KnownNames;
use self::modules::Module;
use self::ptrace::Board;
use self::search::{Caller, Question, StaticRange};
use self::thread_names::ThreadName;
use crate::heap::{
    Fate, Found, Holder, HolderKind, HolderSum, Holdings, KnownHolder, Retained, Step,
};
use crate::os::memory;
use crate::os::thread_id::thread_id;
use crate::trace::stack_id::StackId;
use crate::trace::{fork, thread};
use crate::util::sort::{sort_by, sort_by_key};

/// How long the search may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried again because a thread was stopped inside `malloc`.
const ATTEMPTS: u32 = 3;

/// What the copy has to know.
struct Request<'a> {
    question: Question<'a>,
    answer: *mut Answer,
}

/// Looks up what has become of the live blocks of these stacks. `known` are holders that are looked
/// at last.
///
/// `stack_from` is an address on the calling thread's stack: what lies above counts as in use, and
/// what lies below does not.
///
/// # Errors
///
/// In words, why there is no answer.
pub fn look_up(
    stacks: &[StackId],
    known: &[KnownHolder<'_>],
    stack_from: usize,
) -> Result<Found, &'static str> {
    let _pause = thread::pause();
    let mut wanted: Vec<u32> = stacks.iter().map(|stack| stack.0).collect();
    sort_by(&mut wanted, u32::cmp);
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Found { entries: Vec::new(), doubt: None });
    }
    ask(&wanted, known, stack_from, |world, answer| Found {
        entries: world.entries(answer),
        doubt: doubt(answer.hindrances),
    })
}

/// Looks up what holds all live blocks.
///
/// # Errors
///
/// In words, why there is no answer.
pub fn holdings(stack_from: usize) -> Result<Holdings, &'static str> {
    let _pause = thread::pause();
    ask(&[], &[], stack_from, |world, answer| {
        // A static may lie in several parts, and threads may have one name.
        let mut sums: HashMap<Holder, (u64, u64)> = HashMap::new();
        let (mut lost_bytes, mut lost_blocks) = (0, 0);
        for sum in &answer.sums[..answer.sums_len as usize] {
            let (bytes, blocks) = match sum.root.kind {
                RootKind::Nothing => (&mut lost_bytes, &mut lost_blocks),
                _ => {
                    let (bytes, blocks) = sums.entry(world.holder(&sum.root)).or_default();
                    (bytes, blocks)
                }
            };
            *bytes += sum.bytes;
            *blocks += sum.blocks;
        }
        let mut held: Vec<HolderSum> = sums
            .into_iter()
            .map(|(holder, (bytes, blocks))| HolderSum { holder, bytes, blocks })
            .collect();
        sort_by(&mut held, |a, b| {
            (b.bytes, b.blocks, &a.holder.name).cmp(&(a.bytes, a.blocks, &b.holder.name))
        });
        Holdings {
            held,
            lost_bytes,
            lost_blocks,
            lost: world.entries(answer),
            doubt: doubt(answer.hindrances),
        }
    })
}

/// Asks, and asks again where a thread was stopped inside `malloc`, so that its heap was not
/// walked.
fn ask<T>(
    wanted: &[u32],
    known: &[KnownHolder<'_>],
    stack_from: usize,
    take: impl Fn(&World, &Answer) -> T,
) -> Result<T, &'static str> {
    let mut attempt = 1;
    loop {
        let world = World::now(known);
        let (taken, hindrances) =
            world.ask(wanted, stack_from, |answer| (take(&world, answer), answer.hindrances))?;
        if hindrances & Hindrance::Malloc as u32 == 0 || attempt == ATTEMPTS {
            return Ok(taken);
        }
        attempt += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What names and places things have, looked up before the process is copied.
struct World {
    modules: Vec<Module>,
    threads: Vec<ThreadName>,
    statics: Vec<StaticRange>,
    known_threads: Vec<i32>,
    thread_local_size: usize,
    thread_locals: Vec<Range>,
    caller: i32,
}

impl World {
    fn now(known: &[KnownHolder<'_>]) -> Self {
        let mut modules = modules::loaded();
        let thread_local_size = modules.iter().map(|module| module.thread_local_size).sum();
        let caller = thread_id();
        let stack_ends = thread_names::stack_ends(caller, thread_local_size);
        modules::name(
            &mut modules,
            stack_ends.iter().flat_map(|end| &end.words).copied().collect(),
        );
        let threads = thread_names::named(stack_ends, &modules);
        let known = KnownNames::of(known);
        let is_known = |thread: &&ThreadName| {
            thread.start.as_ref().is_some_and(|start| known.has_thread(start))
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
        Self { modules, threads, statics, known_threads, thread_local_size, thread_locals, caller }
    }

    /// Copies the process, has the copy answer, and hands the answer on.
    fn ask<T>(
        &self,
        wanted: &[u32],
        stack_from: usize,
        take: impl FnOnce(&Answer) -> T,
    ) -> Result<T, &'static str> {
        const NO_MEMORY: &str = "there was no memory to search the heap";
        let mut answer = Shared::<Answer>::new().ok_or(NO_MEMORY)?;
        let mut board = Shared::<Board>::new().ok_or(NO_MEMORY)?;
        let thread_pointer = thread_stacks::current_pointer().unwrap_or(0);
        let mut c_code = self
            .modules
            .iter()
            .filter(|module| module.is_c())
            .flat_map(|module| module.code.iter().copied());
        let c_code = c_code.next().unwrap_or((0, 0));
        glibc_malloc::tidy();
        let answer_place: *mut Answer = &raw mut *answer;
        // From here on the other threads may stand still wherever they are, with the C library's
        // locks held: nothing may be allocated, freed, or looked up until they run again.
        // Our own locks are taken before.
        fork::hold();
        let stopped = if self.threads.is_empty() && is_alone(self.caller) {
            None
        } else {
            Some(ptrace::others(&mut board))
        };
        let all_threads = stopped.as_ref().is_none_or(Option::is_some);
        let threads = match &stopped {
            Some(Some(stopped)) => stopped.threads(),
            _ => &[],
        };
        let question = Question {
            statics: &self.statics,
            wanted,
            known_threads: &self.known_threads,
            threads,
            all_threads,
            caller: Caller { id: self.caller, stack_from, thread_pointer },
            thread_local_size: self.thread_local_size,
            thread_locals: &self.thread_locals,
            c_code,
            patience: PATIENCE,
        };
        let copy =
            process::copy_of_process(&Request { question, answer: answer_place }, search_in_copy);
        drop(stopped);
        fork::let_go();
        let mut copy = copy.ok_or("the process could not be copied to search the heap")?;
        if !copy.wait(PATIENCE + Duration::from_secs(2)) {
            return Err("the search of the heap took too long");
        }
        if answer.done == 0 {
            return Err("the search of the heap was cut off");
        }
        for (hindrance, why) in [
            (Hindrance::Time, "the search of the heap took too long"),
            (Hindrance::Memory, NO_MEMORY),
            (Hindrance::Entries, "there was too much growth of different kinds to look it all up"),
        ] {
            if answer.hindrances & hindrance as u32 != 0 {
                return Err(why);
            }
        }
        Ok(take(&answer))
    }

    fn entries(&self, answer: &Answer) -> Vec<Retained> {
        answer.entries[..answer.entries_len as usize]
            .iter()
            .map(|entry| self.retained(entry))
            .collect()
    }

    fn retained(&self, entry: &Entry) -> Retained {
        let told = (entry.steps_len as usize).min(entry.steps.len());
        Retained {
            stack: StackId(entry.stack),
            fate: entry.fate,
            bytes: entry.bytes,
            blocks: entry.blocks,
            holder: (entry.fate == Fate::Held).then(|| self.holder(&entry.root)),
            head: (entry.fate == Fate::LostWith).then_some(StackId(entry.head)),
            steps: entry.steps_len,
            path: entry.steps[..told]
                .iter()
                .map(|step| Step {
                    stack: (step.stack != 0).then_some(StackId(step.stack)),
                    size: step.size,
                })
                .collect(),
        }
    }

    /// What a root is called.
    fn holder(&self, root: &Root) -> Holder {
        match root.kind {
            RootKind::Static => self.static_at(root),
            RootKind::ThreadLocal => self.thread_local_at(root),
            RootKind::Stack => self.thread(root.thread, "stack"),
            RootKind::Register => self.thread(root.thread, "register"),
            RootKind::Foreign | RootKind::Nothing => {
                Holder::new(HolderKind::Foreign, "foreign memory".to_owned())
            }
        }
    }

    fn static_at(&self, root: &Root) -> Holder {
        let known = self.statics.get(root.number as usize).is_some_and(|part| part.known);
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
        Holder { known, ..Holder::new(kind, name) }
    }

    fn thread_local_at(&self, root: &Root) -> Holder {
        let known = self.known_threads.contains(&root.thread);
        let pointer = if root.thread == self.caller {
            thread_stacks::current_pointer()
        } else {
            thread_stacks::all()
                .filter(|stack| stack.thread == root.thread)
                .last()
                .map(|stack| stack.thread_pointer)
        };
        let executable = self.modules.iter().find(|module| module.is_executable);
        let symbol = pointer.zip(executable).and_then(|(pointer, executable)| {
            let base = pointer.wrapping_add(executable.thread_locals_from());
            modules::find(&executable.thread_locals, root.address.wrapping_sub(base))
        });
        let thread = self.thread(root.thread, "");
        let name = match symbol {
            Some(symbol) => symbol.name.clone(),
            None => "thread-local storage".to_owned(),
        };
        Holder {
            known,
            thread: thread.thread,
            start: thread.start,
            ..Holder::new(HolderKind::ThreadLocal, name)
        }
    }

    fn thread(&self, id: i32, what: &str) -> Holder {
        let kind = if what == "register" { HolderKind::Register } else { HolderKind::Stack };
        let thread = self.threads.iter().find(|thread| thread.id == id);
        let name = match thread {
            _ if id == std::process::id().cast_signed() => "the main thread".to_owned(),
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

/// A part of a module's data, cut into statics and what lies between them.
fn statics_of(
    module: &Module,
    range: (usize, usize),
    known: &KnownNames,
    parts: &mut Vec<StaticRange>,
) {
    let of_c = module.is_c();
    let statics = module.statics.iter().map(|symbol| ((symbol.start, symbol.end), symbol));
    parts.extend(search::cut(range, statics).map(|(range, symbol)| {
        let known = symbol.is_some_and(|symbol| known.has_static(&symbol.name));
        StaticRange { range, known, of_c }
    }));
}

/// Whether the calling thread is the only one.
fn is_alone(caller: i32) -> bool {
    let Some(directory) = process::File::open(c"/proc/self/task") else { return false };
    let mut alone = true;
    directory.numbers(|id| alone = alone && id == caller);
    alone
}

extern "C" fn search_in_copy(request: &Request<'_>) {
    fork::let_go();
    // SAFETY: the process waits for this copy, and looks at the answer only after that.
    let answer = unsafe { &mut *request.answer };
    search::run(&request.question, answer);
    answer.done = 1;
}

fn doubt(hindrances: u32) -> Option<&'static str> {
    let reasons = [
        (Hindrance::Registers, "other threads could not be stopped and asked for their registers"),
        (Hindrance::Unreadable, "some memory could not be read"),
    ];
    reasons
        .into_iter()
        .find(|(hindrance, _)| hindrances & *hindrance as u32 != 0)
        .map(|(_, why)| why)
}

/// A value in memory that copies of this process share. It starts as zeroes.
struct Shared<T>(core::ptr::NonNull<T>);

impl<T> Shared<T> {
    fn new() -> Option<Self> {
        memory::reserve_shared(size_of::<T>()).map(|place| Self(place.cast()))
    }
}

impl<T> core::ops::Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: zeroes are a valid `Answer` and a valid `Board`, which are all that is shared;
        // the copies that write there have ended, or touch nothing but atomics.
        unsafe { self.0.as_ref() }
    }
}

impl<T> core::ops::DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: it was reserved with this size, and nobody refers to it any more.
        unsafe { memory::release(self.0.cast(), size_of::<T>()) };
    }
}
