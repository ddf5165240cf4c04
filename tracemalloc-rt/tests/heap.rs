//! The heap search finds the holders of blocks, and calls a block lost only if nothing holds it.
//!
//! Without libtest: each case has a process of its own, as tests have under `cargo tracemalloc
//! test`. So no other test's stack has pointers left.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{mem, ptr, thread};

use tracemalloc::internal::heap::{
    self, Fate, Found, HolderKind, Holdings, KnownHolder, Retained, SearchPlace, Stranger,
};
use tracemalloc::internal::{self, Live, StackId, Walk};
use tracemalloc::{Domain, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

const CASES: &[(&str, fn())] = &[
    ("forgotten_memory_is_lost", forgotten_memory_is_lost),
    ("memory_of_a_static_is_held_by_it", memory_of_a_static_is_held_by_it),
    ("memory_of_a_known_holder_alone_is_known", memory_of_a_known_holder_alone_is_known),
    ("the_runtime_s_own_data_is_no_holder", the_runtime_s_own_data_is_no_holder),
    ("the_tree_of_a_holder_has_its_blocks_by_stack", the_tree_of_a_holder_has_its_blocks_by_stack),
    (
        "a_known_holder_does_not_excuse_the_block_of_a_stranger",
        a_known_holder_does_not_excuse_the_block_of_a_stranger,
    ),
    ("a_thread_local_of_a_living_thread_holds", a_thread_local_of_a_living_thread_holds),
    ("the_stack_of_a_living_thread_holds", the_stack_of_a_living_thread_holds),
    ("the_stack_of_the_calling_thread_holds", the_stack_of_the_calling_thread_holds),
    ("a_register_of_a_parked_thread_holds", a_register_of_a_parked_thread_holds),
    ("memory_that_only_c_holds_is_held", memory_that_only_c_holds_is_held),
    (
        "pointers_may_be_tagged_or_point_to_the_middle",
        pointers_may_be_tagged_or_point_to_the_middle,
    ),
    ("a_lost_cycle_has_one_head", a_lost_cycle_has_one_head),
    (
        "memory_that_only_a_dead_stack_points_to_is_lost",
        memory_that_only_a_dead_stack_points_to_is_lost,
    ),
    (
        "memory_that_only_freed_memory_points_to_is_lost",
        memory_that_only_freed_memory_points_to_is_lost,
    ),
    (
        "a_thread_that_blocks_every_signal_is_read_too",
        a_thread_that_blocks_every_signal_is_read_too,
    ),
    ("threads_that_come_and_go_do_no_harm", threads_that_come_and_go_do_no_harm),
    ("holes_of_shared_memory_are_not_filled", holes_of_shared_memory_are_not_filled),
    ("holes_of_a_mapped_file_are_not_read", holes_of_a_mapped_file_are_not_read),
    ("a_lost_block_costs_by_its_written_pages", a_lost_block_costs_by_its_written_pages),
    ("a_large_lost_block_leads_to_others", a_large_lost_block_leads_to_others),
    ("memory_that_fork_does_not_copy_holds", memory_that_fork_does_not_copy_holds),
    ("memory_that_fork_clears_holds", memory_that_fork_clears_holds),
    #[cfg(target_arch = "x86_64")]
    ("system_calls_are_not_interrupted", system_calls_are_not_interrupted),
    #[cfg(target_arch = "x86_64")]
    ("a_signal_still_interrupts_a_system_call", a_signal_still_interrupts_a_system_call),
    ("one_past_the_end_is_a_pointer", one_past_the_end_is_a_pointer),
    #[cfg(target_env = "gnu")]
    (
        "memory_that_c_has_freed_and_uses_again_is_not_lost",
        memory_that_c_has_freed_and_uses_again_is_not_lost,
    ),
    #[cfg(target_env = "gnu")]
    ("memory_that_c_has_freed_is_not_lost", memory_that_c_has_freed_is_not_lost),
];

/// Cases that expect this program to be the process's executable.
const OF_EXECUTABLE: [&str; 5] = [
    "memory_of_a_static_is_held_by_it",
    "a_thread_local_of_a_living_thread_holds",
    "memory_that_only_c_holds_is_held",
    "pointers_may_be_tagged_or_point_to_the_middle",
    "one_past_the_end_is_a_pointer",
];

/// Runs the case that the argument names, or, without one, each case in a process of its own.
///
/// If `TEST_GLIBC` names a directory with another glibc, its loader runs the cases. The loader is
/// the executable then.
fn main() {
    if let Some(wanted) = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        let here = 0_u8;
        STACK_FROM.store((&raw const here).addr(), Ordering::Relaxed);
        for (_, case) in CASES.iter().filter(|(name, _)| *name == wanted) {
            case();
        }
        return;
    }
    let this = std::env::current_exe().unwrap();
    let glibc = std::env::var_os("TEST_GLIBC").map(std::path::PathBuf::from);
    let command = |name: &str| {
        let Some(glibc) = &glibc else {
            let mut command = std::process::Command::new(&this);
            command.arg(name);
            return command;
        };
        let mut command = std::process::Command::new(glibc.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(glibc).arg(&this).arg(name);
        command
    };
    let is_run = |name: &str| glibc.is_none() || !OF_EXECUTABLE.contains(&name);
    let failed = CASES.iter().filter(|(name, _)| is_run(name)).filter(|(name, _)| {
        let passed = command(name).status().unwrap().success();
        println!("{name}: {}", if passed { "ok" } else { "FAILED" });
        !passed
    });
    assert_eq!(failed.count(), 0, "see above");
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Maps memory of this size.
fn map(size: usize, flags: libc::c_int, file: libc::c_int) -> *mut usize {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping at an address of the kernel's choice touches no memory that exists.
    let place = unsafe { libc::mmap(ptr::null_mut(), size, access, flags, file, 0) };
    assert_ne!(place, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
    place.cast()
}

/// A place on the main thread's stack. The frames below are those of a case, and have seen blocks
/// that are gone. Code without optimisation may write one byte over an old pointer, which leaves
/// the address of another block.
static STACK_FROM: AtomicUsize = AtomicUsize::new(0);

/// Runs `body` on a thread of its own, and looks up what it has left behind.
fn left_by(known: &[KnownHolder<'_>], body: impl FnOnce() + Send + 'static) -> Found {
    look_up(known, &[], &left_stacks(body))
}

fn look_up(known: &[KnownHolder<'_>], strangers: &[Stranger], stacks: &[StackId]) -> Found {
    let _pause = internal::pause();
    let from = STACK_FROM.load(Ordering::Relaxed);
    heap::look_up(stacks, known, strangers, from, SearchPlace::Copy, PATIENCE).unwrap()
}

/// Runs `body` on a thread of its own: the stacks that it has left blocks of.
#[inline(never)]
fn left_stacks(body: impl FnOnce() + Send + 'static) -> Vec<StackId> {
    let _pause = internal::pause();
    internal::start(Walk::Unwind, 32);
    let before = Live::now();
    thread::spawn(body).join().unwrap();
    let grown: Vec<StackId> = grown(&before);
    assert!(!grown.is_empty(), "the body leaves something behind");
    grown
}

fn grown(before: &Live) -> Vec<StackId> {
    Live::now()
        .changes_since(before)
        .iter()
        .filter(|change| change.bytes > 0)
        .map(|change| change.stack)
        .collect()
}

/// The entry about blocks of this size.
#[track_caller]
fn of_size(found: &Found, size: u64) -> &Retained {
    let mut entries = found.entries.iter().filter(|entry| entry.bytes == size * entry.blocks);
    let entry = entries.next().unwrap_or_else(|| panic!("nothing of {size} bytes: {found:#?}"));
    assert!(entries.next().is_none(), "{found:#?}");
    entry
}

/// The holder of the blocks of this size.
#[track_caller]
fn holder(found: &Found, size: u64) -> (HolderKind, String) {
    let entry = of_size(found, size);
    assert_eq!(entry.fate, Fate::Held, "{found:#?}");
    let holder = entry.holder.as_ref().unwrap();
    (holder.kind, holder.name.clone())
}

#[track_caller]
fn assert_lost(found: &Found, size: u64) {
    assert_eq!((found.doubt, found.note), (None, None));
    assert_eq!(of_size(found, size).fate, Fate::Lost, "{found:#?}");
}

fn forgotten_memory_is_lost() {
    let found = left_by(&[], || mem::forget(black_box(vec![1_u8; 1001])));
    assert_lost(&found, 1001);
}

static REGISTRY: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn memory_of_a_static_is_held_by_it() {
    let found = left_by(&[], || REGISTRY.lock().unwrap().push(vec![3; 777]));
    assert_eq!(holder(&found, 777), (HolderKind::Static, "heap::REGISTRY".to_owned()));
    let entry = of_size(&found, 777);
    assert_eq!((entry.steps, entry.path.len()), (2, 2), "by way of the vector's block");
    assert_eq!(entry.path[1].size, 777);
    REGISTRY.lock().unwrap().clear();
}

fn memory_of_a_known_holder_alone_is_known() {
    static FIRST: Mutex<Option<Arc<[u8; 701]>>> = Mutex::new(None);
    static SECOND: Mutex<Option<Arc<[u8; 701]>>> = Mutex::new(None);
    let known = [known_static("heap::*::FIRST")];
    let found = left_by(&known, || *FIRST.lock().unwrap() = Some([0; 701].into()));
    let is_known = |found: &Found| of_size(found, 720).holder.as_ref().unwrap().known;
    assert!(is_known(&found), "{found:#?}");
    let found = left_by(&known, || {
        let both = Arc::new([0; 701]);
        *FIRST.lock().unwrap() = Some(both.clone());
        *SECOND.lock().unwrap() = Some(both);
    });
    assert!(!is_known(&found), "{found:#?}");
}

/// All live blocks by holder.
fn holdings() -> Holdings {
    let _pause = internal::pause();
    heap::holdings(STACK_FROM.load(Ordering::Relaxed), Domain::All).unwrap()
}

/// The holders that retain so many bytes.
fn holders_of(bytes: u64) -> Vec<String> {
    let held = holdings().held;
    held.iter().filter(|held| held.bytes == bytes).map(|held| held.holder.to_string()).collect()
}

fn the_runtime_s_own_data_is_no_holder() {
    // A static of the runtime, by its name: `tracemalloc::fake::HELD`.
    #[unsafe(export_name = "_RNvNtC11tracemalloc4fake4HELD")]
    static HELD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static OTHER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    internal::start(Walk::Unwind, 32);
    *HELD.lock().unwrap() = vec![1; 70_001];
    *OTHER.lock().unwrap() = vec![2; 70_002];
    assert_eq!(holders_of(70_001), Vec::<String>::new());
    assert_eq!(holders_of(70_002).len(), 1);
    let lost = holdings().lost;
    assert!(lost.iter().all(|lost| lost.bytes != 70_001), "it is not lost, either: {lost:#?}");
}

fn the_tree_of_a_holder_has_its_blocks_by_stack() {
    struct Node {
        _text: Vec<u8>,
        _next: Option<Box<Node>>,
    }
    static LIST: Mutex<Option<Box<Node>>> = Mutex::new(None);

    internal::start(Walk::Unwind, 32);
    for _ in 0..1000 {
        let _next = LIST.lock().unwrap().take();
        let node = Box::new(Node { _text: vec![7; 101], _next });
        *LIST.lock().unwrap() = Some(node);
    }
    let held = holdings().held;
    let list = held.iter().find(|held| held.holder.name.ends_with("::LIST")).unwrap();
    let size = size_of::<Node>() as u64;
    assert_eq!((list.bytes, list.blocks), (1000 * (size + 101), 2000));
    // All nodes are one step, and not a thousand below each other.
    let [nodes, texts] = list.steps.as_slice() else { panic!("{list:#?}") };
    assert_eq!((nodes.parent, nodes.bytes, nodes.blocks), (None, 1000 * size, 1000));
    assert_eq!((texts.parent, texts.bytes, texts.blocks), (Some(0), 101_000, 1000));
    *LIST.lock().unwrap() = None;
}

/// A cache of a known static has the address of a lost block in a word that it did not write.
fn a_known_holder_does_not_excuse_the_block_of_a_stranger() {
    static CACHE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    static OTHER: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let known = [known_static("*::OTHER"), known_static("*::CACHE")];
    let stacks = left_stacks(|| {
        let lost = Box::leak(Box::new([7_u8; 705]));
        *CACHE.lock().unwrap() = vec![(&raw const *lost).addr(); 101];
    });
    let found = look_up(&known, &[], &stacks);
    let excused = of_size(&found, 705);
    let number = excused.holder.as_ref().unwrap().known_number;
    assert_eq!(number, Some(1), "{found:#?}");
    let stranger = |holder| [Stranger { holder, stack: excused.stack }];
    assert_lost(&look_up(&known, &stranger(1), &stacks), 705);
    let found = look_up(&known, &stranger(0), &stacks);
    assert_eq!(of_size(&found, 705).fate, Fate::Held, "a stranger to another holder");
    let found = look_up(&known, &stranger(1), &stacks);
    assert!(of_size(&found, 808).holder.as_ref().unwrap().known, "the cache's own: {found:#?}");
    OTHER.lock().unwrap().clear();
}

fn known_static(pattern: &str) -> KnownHolder<'_> {
    KnownHolder { is_thread: false, pattern, only_with: None, allocated_by: None, reason: "a test" }
}

fn a_thread_local_of_a_living_thread_holds() {
    thread_local! {
        static KEPT: RefCell<Option<Box<[u8; 778]>>> = const { RefCell::new(None) };
    }
    let (end, ended) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let found = left_by(&[], move || {
        thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || {
                KEPT.set(Some(Box::new([1; 778])));
                ready.send(()).unwrap();
                let _ = ended.recv();
            })
            .unwrap();
        is_ready.recv().unwrap();
    });
    let (kind, name) = holder(&found, 778);
    assert_eq!(kind, HolderKind::ThreadLocal, "{found:#?}");
    assert!(name.ends_with("KEPT"), "{name}");
    assert_eq!(of_size(&found, 778).holder.as_ref().unwrap().thread.as_deref(), Some("keeper"));
    drop(end);
}

fn the_stack_of_a_living_thread_holds() {
    let (end, ended) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let found = left_by(&[], move || {
        thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                let mut kept = [ptr::null_mut(); 8];
                kept[3] = Box::into_raw(Box::new([1_u8; 779]));
                black_box(&mut kept);
                ready.send(()).unwrap();
                let _ = ended.recv();
                black_box(&mut kept);
            })
            .unwrap();
        is_ready.recv().unwrap();
    });
    assert_eq!(holder(&found, 779), (HolderKind::Stack, "worker".to_owned()));
    drop(end);
}

fn the_stack_of_the_calling_thread_holds() {
    internal::start(Walk::Unwind, 32);
    let before = Live::now();
    let kept = black_box(Box::new([1_u8; 804]));
    let grown = grown(&before);
    let here = 0_u8;
    let found = heap::look_up(
        &grown,
        &[],
        &[],
        (&raw const here).addr().min((&raw const kept).addr()),
        SearchPlace::Copy,
        PATIENCE,
    )
    .unwrap();
    assert_eq!(holder(&found, 804), (HolderKind::Stack, "the main thread".to_owned()));
    drop(kept);
}

/// The complement of a block's address. No frame that is still there has seen the address itself.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn hidden_block() -> usize {
    #[inline(never)]
    fn deeper() -> usize {
        !black_box(Box::into_raw(Box::new([1_u8; 780])).addr())
    }
    let mut room = [0_u8; 50_000];
    black_box(&mut room);
    deeper()
}

/// Sleeps until woken, with the only pointer to a block in a register that the kernel keeps.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn sleep_with_a_register(bit_pattern: usize, gate: &AtomicUsize) {
    // SAFETY: waits on a word that lives longer, and names every register that it changes.
    unsafe {
        std::arch::asm!(
            "mov r14, {kept}",
            "not r14",
            "xor {kept}, {kept}",
            "2:",
            "mov eax, 202",
            "syscall",
            "cmp dword ptr [rdi], 0",
            "je 2b",
            "xor r14, r14",
            kept = inout(reg) bit_pattern => _,
            in("rdi") gate, in("rsi") 128, in("edx") 0, in("r10") 0, in("r8") 0, in("r9") 0,
            out("rax") _, out("rcx") _, out("r11") _, out("r14") _,
        );
    }
}

#[cfg(target_arch = "x86_64")]
fn a_register_of_a_parked_thread_holds() {
    static GATE: AtomicUsize = AtomicUsize::new(0);
    let found = left_by(&[], || {
        let (send, parked) = mpsc::channel();
        thread::Builder::new()
            .name("parked".to_owned())
            .spawn(move || {
                let hidden = hidden_block();
                // SAFETY: takes nothing and always succeeds.
                send.send(unsafe { libc::gettid() }).unwrap();
                drop(send);
                sleep_with_a_register(hidden, &GATE);
            })
            .unwrap();
        // `202 0x55d0...`: the thread is in `futex`, and waits for the gate.
        let waiting = format!("202 {:#x} ", (&raw const GATE).addr());
        let file = format!("/proc/self/task/{}/syscall", parked.recv().unwrap());
        while !std::fs::read_to_string(&file).unwrap().starts_with(&waiting) {
            thread::yield_now();
        }
    });
    assert_eq!(holder(&found, 780), (HolderKind::Register, "parked".to_owned()));
    GATE.store(1, Ordering::Relaxed);
    // SAFETY: wakes the threads that wait at this word.
    unsafe { libc::syscall(libc::SYS_futex, &raw const GATE, 129, 1, 0, 0, 0) };
}

fn memory_that_only_c_holds_is_held() {
    static TREE: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());
    unsafe extern "C" fn compare(a: *const libc::c_void, b: *const libc::c_void) -> libc::c_int {
        a.addr().cmp(&b.addr()) as libc::c_int
    }
    unsafe extern "C" {
        fn tsearch(
            key: *const libc::c_void,
            root: *mut *mut libc::c_void,
            compare: unsafe extern "C" fn(*const libc::c_void, *const libc::c_void) -> libc::c_int,
        ) -> *mut libc::c_void;
    }
    let found = left_by(&[], || {
        let key = Box::into_raw(Box::new([0_u8; 781]));
        // SAFETY: the root is a null pointer at first, and no other code uses it.
        unsafe { tsearch(key.cast(), TREE.as_ptr(), compare) };
    });
    let entry = of_size(&found, 781);
    assert_eq!(entry.fate, Fate::Held);
    let (kind, name) = holder(&found, 781);
    assert_eq!(kind, HolderKind::Static);
    assert!(name.ends_with("TREE"), "{name}");
    assert_eq!(entry.path[0].stack, None, "the tree's node is C's");

    // And where nothing of ours knows C's own node.
    let found = left_by(&[], || {
        // SAFETY: there is room for a pointer.
        unsafe {
            let node = libc::malloc(64).cast::<*mut [u8; 782]>();
            node.write(Box::into_raw(Box::new([0; 782])));
            black_box(node);
        }
    });
    assert_eq!(holder(&found, 782).0, HolderKind::Foreign);
}

fn pointers_may_be_tagged_or_point_to_the_middle() {
    static TAGGED: AtomicUsize = AtomicUsize::new(0);
    static HIGH: AtomicUsize = AtomicUsize::new(0);
    static SHIFTED: AtomicUsize = AtomicUsize::new(0);
    static MIDDLE: AtomicUsize = AtomicUsize::new(0);
    let found = left_by(&[], || {
        let leak = |size| Vec::leak(black_box(vec![0_u8; size])).as_ptr().addr();
        TAGGED.store(leak(790) | 5, Ordering::Relaxed);
        HIGH.store(leak(791) | 0xABCD << 48, Ordering::Relaxed);
        SHIFTED.store(leak(792) << 16 | 77, Ordering::Relaxed);
        MIDDLE.store(leak(793) + 700, Ordering::Relaxed);
    });
    for (size, name) in [(790, "TAGGED"), (791, "HIGH"), (792, "SHIFTED"), (793, "MIDDLE")] {
        assert!(holder(&found, size).1.ends_with(name), "{found:#?}");
    }
}

fn a_lost_cycle_has_one_head() {
    struct Node {
        _name: [u8; 100],
        next: RefCell<Option<Rc<Node>>>,
        tail: Cell<Option<Box<[u8; 1500]>>>,
    }
    let found = left_by(&[], || {
        let tail = Box::new([0; 1500]);
        let node = |_: u8| {
            Rc::new(Node { _name: [0; 100], next: RefCell::default(), tail: Cell::default() })
        };
        let (first, second) = (node(1), node(2));
        first.next.replace(Some(second.clone()));
        second.next.replace(Some(first));
        second.tail.set(Some(tail));
    });
    let heads: Vec<&Retained> =
        found.entries.iter().filter(|entry| entry.fate == Fate::Lost).collect();
    assert_eq!(heads.len(), 1, "{found:#?}");
    assert_eq!(heads[0].blocks, 1);
    let tail = of_size(&found, 1500);
    assert_eq!((tail.fate, tail.head), (Fate::LostWith, Some(heads[0].stack)));
}

fn memory_that_only_a_dead_stack_points_to_is_lost() {
    #[inline(never)]
    fn deep(block: *mut [u8; 801]) {
        let mut copies = [block; 100];
        black_box(&mut copies);
    }
    let found = left_by(&[], || deep(Box::into_raw(Box::new([7; 801]))));
    assert_lost(&found, 801);
}

fn memory_that_only_freed_memory_points_to_is_lost() {
    let found = left_by(&[], || {
        let block = Box::into_raw(Box::new([7_u8; 802]));
        for size in [3, 6, 30, 90, 200, 5_000] {
            for _ in 0..20 {
                drop(black_box(vec![block; size]));
            }
        }
        let mut grown = Vec::new();
        for _ in 0..1_000 {
            grown.push(block);
        }
    });
    assert_lost(&found, 802);
}

fn a_thread_that_blocks_every_signal_is_read_too() {
    let (end, ended) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let found = left_by(&[], move || {
        thread::spawn(move || {
            // SAFETY: blocks all signals, in this thread alone.
            unsafe {
                let mut all = mem::zeroed();
                libc::sigfillset(&raw mut all);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, ptr::null_mut());
            }
            let kept = black_box(Box::new([1_u8; 803]));
            ready.send(()).unwrap();
            let _ = ended.recv();
            drop(kept);
        });
        is_ready.recv().unwrap();
    });
    assert_eq!(holder(&found, 803).0, HolderKind::Stack);
    drop(end);
}

fn threads_that_come_and_go_do_no_harm() {
    use std::sync::atomic::AtomicBool;
    static STOP: AtomicBool = AtomicBool::new(false);
    let spawner = thread::spawn(|| {
        while !STOP.load(Ordering::Relaxed) {
            thread::spawn(|| drop(black_box(vec![0_u8; 100_000]))).join().unwrap();
        }
    });
    let busy = thread::spawn(|| {
        while !STOP.load(Ordering::Relaxed) {
            drop(black_box((0..100).map(|n| n.to_string()).collect::<Vec<_>>()));
        }
    });
    // A thread that is stopped inside of `malloc` has addresses of the headers between blocks on
    // its stack and in its arena. The block before seems to reach to a header, so some look held.
    // Most do not, and none is left out.
    let mut lost = 0;
    for round in 0..30_u64 {
        let found =
            left_by(&[], move || mem::forget(black_box(vec![1_u8; 20_000 + round as usize])));
        let blocks = |counts: fn(&&Retained) -> bool| -> u64 {
            found
                .entries
                .iter()
                .filter(|entry| entry.bytes >= 20_000)
                .filter(counts)
                .map(|entry| entry.blocks)
                .sum()
        };
        assert_eq!(blocks(|_| true), round + 1, "{found:#?}");
        lost = blocks(|entry| entry.fate == Fate::Lost);
    }
    assert!(lost > 15, "{lost}");
    STOP.store(true, Ordering::Relaxed);
    spawner.join().unwrap();
    busy.join().unwrap();
}

fn holes_of_shared_memory_are_not_filled() {
    use std::fs::File;
    use std::os::fd::{AsRawFd as _, FromRawFd as _};
    use std::os::unix::fs::MetadataExt as _;

    const SIZE: usize = 256 << 20;
    // SAFETY: the name ends with a zero, and the descriptor is new.
    let file = unsafe { File::from_raw_fd(libc::memfd_create(c"sparse".as_ptr(), 0)) };
    file.set_len(SIZE as u64).unwrap();
    let descriptor = file.as_raw_fd();
    let found = left_by(&[], move || {
        let memory = map(SIZE, libc::MAP_SHARED, descriptor);
        // SAFETY: the mapping is that large, and nothing else uses it.
        unsafe {
            memory.byte_add(SIZE / 2).write(Box::into_raw(Box::new([1_u8; 805])).addr());
        }
        mem::forget(black_box(vec![1_u8; 806]));
    });
    assert_eq!(holder(&found, 805).0, HolderKind::Foreign);
    assert_lost(&found, 806);
    assert_eq!(file.metadata().unwrap().blocks() * 512, 4096);
}

fn holes_of_a_mapped_file_are_not_read() {
    use std::os::fd::AsRawFd as _;

    const SIZE: usize = 1 << 30;
    let path = std::env::temp_dir().join(format!("tracemalloc-holes-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file.set_len(SIZE as u64).unwrap();
    let memory = map(SIZE, libc::MAP_SHARED, file.as_raw_fd());
    // SAFETY: the mapping is that large, and nothing else uses it.
    unsafe { memory.write(1) };
    let in_memory = || {
        let mut pages = vec![0_u8; SIZE / 4096];
        // SAFETY: there is a byte for each page of the mapping.
        assert_eq!(unsafe { libc::mincore(memory.cast(), SIZE, pages.as_mut_ptr()) }, 0);
        pages.into_iter().filter(|page| page & 1 != 0).count()
    };
    let before = in_memory();
    let found = left_by(&[], || mem::forget(black_box(vec![1_u8; 810])));
    assert_lost(&found, 810);
    assert_eq!(in_memory(), before);
}

fn a_lost_block_costs_by_its_written_pages() {
    const SIZE: usize = 4 << 30;
    let started = std::time::Instant::now();
    let found = left_by(&[], || {
        let mut large = black_box(vec![0_u8; SIZE]);
        large[SIZE / 2] = 1;
        mem::forget(large);
    });
    assert_lost(&found, SIZE as u64);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

fn a_large_lost_block_leads_to_others() {
    let found = left_by(&[], || {
        let mut large = black_box(vec![0_usize; 10_000_000]);
        large[123] = Box::into_raw(Box::new([1_u8; 807])).addr();
        large[9_999_999] = Box::into_raw(Box::new([1_u8; 808])).addr();
        mem::forget(large);
    });
    let large = of_size(&found, 80_000_000);
    assert_eq!(large.fate, Fate::Lost);
    for size in [807, 808] {
        let other = of_size(&found, size);
        assert_eq!((other.fate, other.head), (Fate::LostWith, Some(large.stack)), "{found:#?}");
    }
}

/// Looks up a block that only a page with this advice holds, in a process with another thread.
fn held_by_a_page(flags: libc::c_int, advice: libc::c_int) -> Found {
    let (end, ended) = mpsc::channel::<()>();
    // On a larger stack than all other threads: glibc uses stacks of ended ones again, with old
    // pointers between the frames.
    thread::Builder::new().stack_size(64 << 20).spawn(move || ended.recv()).unwrap();
    let found = left_by(&[], move || {
        let page = map(3 * 4096, flags, -1);
        // SAFETY: the mapping is that large, and nothing else uses it.
        unsafe {
            assert_eq!(libc::madvise(page.byte_add(4096).cast(), 4096, advice), 0);
            page.byte_add(4096 + 40).write(Box::into_raw(Box::new([1_u8; 809])).addr());
        }
    });
    drop(end);
    found
}

fn memory_that_fork_does_not_copy_holds() {
    for flags in [libc::MAP_PRIVATE, libc::MAP_SHARED] {
        let found = held_by_a_page(flags | libc::MAP_ANONYMOUS, libc::MADV_DONTFORK);
        assert_eq!(holder(&found, 809).0, HolderKind::Foreign);
        assert_eq!((found.doubt, found.note), (None, None));
    }
}

fn memory_that_fork_clears_holds() {
    let found = held_by_a_page(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, libc::MADV_WIPEONFORK);
    assert_eq!(holder(&found, 809).0, HolderKind::Foreign);
    assert_eq!((found.doubt, found.note), (None, None));
}

/// Starts a thread that waits in `epoll_wait` for an event of its own and sends the result. Returns
/// when it waits, with the thread's number.
#[cfg(target_arch = "x86_64")]
fn thread_in_epoll(results: mpsc::Sender<(libc::c_int, Option<i32>)>) -> (libc::c_int, i32) {
    // SAFETY: makes new descriptors, which are never closed.
    let (epoll, event) = unsafe { (libc::epoll_create1(0), libc::eventfd(0, 0)) };
    let mut wanted = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: both descriptors are open, and the kernel reads the event.
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, event, &raw mut wanted) };
    let (send, id) = mpsc::channel();
    thread::spawn(move || {
        // SAFETY: takes nothing and always succeeds.
        send.send(unsafe { libc::gettid() }).unwrap();
        let mut got = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: the kernel writes at most one event.
        let result = unsafe { libc::epoll_wait(epoll, &raw mut got, 1, -1) };
        results.send((result, std::io::Error::last_os_error().raw_os_error())).unwrap();
    });
    let id = id.recv().unwrap();
    let file = format!("/proc/self/task/{id}/syscall");
    let waiting = format!("{} {epoll:#x} ", libc::SYS_epoll_wait);
    while !std::fs::read_to_string(&file).unwrap().starts_with(&waiting) {
        thread::yield_now();
    }
    (event, id)
}

#[cfg(target_arch = "x86_64")]
fn system_calls_are_not_interrupted() {
    let (send, results) = mpsc::channel();
    let (event, _) = thread_in_epoll(send);
    for _ in 0..10 {
        left_by(&[], || mem::forget(black_box(vec![1_u8; 811])));
    }
    assert!(results.try_recv().is_err(), "it still waits");
    // SAFETY: writes eight bytes to an open descriptor.
    unsafe { libc::write(event, (&raw const ONE).cast(), 8) };
    assert_eq!(results.recv().unwrap().0, 1);
}

#[cfg(target_arch = "x86_64")]
static ONE: u64 = 1;

#[cfg(target_arch = "x86_64")]
fn a_signal_still_interrupts_a_system_call() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGUSR1, nothing as extern "C" fn(_) as libc::sighandler_t) };
    let (send, results) = mpsc::channel();
    let (_, id) = thread_in_epoll(send);
    left_by(&[], || mem::forget(black_box(vec![1_u8; 811])));
    assert!(results.try_recv().is_err(), "it still waits");
    // SAFETY: sends a signal with a handler to a thread of this process.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR1) };
    assert_eq!(results.recv().unwrap(), (-1, Some(libc::EINTR)));
}

fn one_past_the_end_is_a_pointer() {
    static END: AtomicUsize = AtomicUsize::new(0);
    for size in [64, 72, 813] {
        let found = left_by(&[], move || {
            let block = Vec::leak(black_box(vec![1_u8; size]));
            END.store(block.as_ptr_range().end.addr(), Ordering::Relaxed);
        });
        assert!(holder(&found, size as u64).1.ends_with("END"), "{found:#?}");
    }
}

/// C takes the beginning of a block that it has freed for a smaller one.
#[cfg(target_env = "gnu")]
fn memory_that_c_has_freed_and_uses_again_is_not_lost() {
    let found = left_by(&[], || {
        for _ in 0..10 {
            let block = Vec::leak(vec![1_u8; 5000]).as_mut_ptr();
            // The block's neighbour keeps it from the heap's end.
            mem::forget(black_box(vec![1_u8; 814]));
            // SAFETY: the system's `malloc` made the block, and it is not used again.
            unsafe { libc::free(block.cast()) };
            // SAFETY: it is never freed.
            black_box(unsafe { libc::malloc(2000) });
        }
    });
    assert!(found.entries.iter().any(|entry| entry.fate == Fate::Freed), "{found:#?}");
    for entry in &found.entries {
        let fate = if entry.bytes == entry.blocks * 814 { Fate::Lost } else { Fate::Freed };
        assert_eq!(entry.fate, fate, "{found:#?}");
    }
}

#[cfg(target_env = "gnu")]
fn memory_that_c_has_freed_is_not_lost() {
    // Threads cache chunks of the first sizes, and not of the last ones.
    for size in [123_usize, 1000, 5000, 60_000] {
        let found = left_by(&[], move || {
            for _ in 0..10 {
                let blocks: Vec<_> = (0..10).map(|_| Vec::leak(vec![1_u8; size])).collect();
                for block in blocks {
                    // SAFETY: the system's `malloc` made the block, and it is not used again.
                    unsafe { libc::free(block.as_mut_ptr().cast()) };
                }
            }
            mem::forget(black_box(vec![1_u8; 814]));
        });
        assert_lost(&found, 814);
        // All sizes share a stack.
        let of_c = found.entries.iter().filter(|entry| entry.bytes != entry.blocks * 814);
        let freed = of_c.clone().filter(|entry| entry.fate == Fate::Freed);
        let (all, freed): (u64, u64) =
            (of_c.map(|entry| entry.blocks).sum(), freed.map(|entry| entry.blocks).sum());
        // C may have used a few of these chunks again.
        assert!(freed > 0 && freed * 2 > all, "{size}: {found:#?}");
    }
}
