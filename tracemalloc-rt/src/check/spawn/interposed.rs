//! Our `pthread_create`.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::ptr;

use crate::bridge::installed;

type Start = extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> c_int;

/// What a new thread has to do.
struct Errand {
    scope: u32,
    start: Start,
    argument: *mut c_void,
}

static ARMED: AtomicBool = AtomicBool::new(false);

// Weak symbols have no stable attribute. A sanitizer's runtime has a `pthread_create` of its own
// too, which goes by a second name for those who define the first; where there is none, its address
// is 0.
core::arch::global_asm!(
    ".weak pthread_create",
    ".type pthread_create, @function",
    ".set pthread_create, {create}",
    ".weak __interceptor_pthread_create",
    ".pushsection .data.rel.ro,\"aw\",@progbits",
    ".balign 8",
    ".weak tracemalloc_sanitizers_pthread_create",
    ".hidden tracemalloc_sanitizers_pthread_create",
    ".type tracemalloc_sanitizers_pthread_create, @object",
    ".size tracemalloc_sanitizers_pthread_create, 8",
    "tracemalloc_sanitizers_pthread_create:",
    ".quad __interceptor_pthread_create",
    ".popsection",
    create = sym create,
);

unsafe extern "C" {
    static tracemalloc_sanitizers_pthread_create: Option<Create>;
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: Start,
        argument: *mut c_void,
    ) -> c_int;
}

pub fn arm() {
    ARMED.store(true, Ordering::Release);
}

/// Whether the program's `pthread_create` is ours.
pub fn is_linked() -> bool {
    ptr::fn_addr_eq(pthread_create as Create, create as Create)
}

unsafe extern "C" fn create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(next) = next() else { return libc::EAGAIN };
    let scope = match ARMED.load(Ordering::Acquire).then(installed) {
        Some(Ok(table)) => (table.scope_of_thread)(),
        _ => 0,
    };
    if scope == 0 {
        // SAFETY: the caller's promise is handed on.
        return unsafe { next(thread, attributes, start, argument) };
    }
    // SAFETY: asks for memory; from C, because the thread that frees it is not the check's.
    let errand = unsafe { libc::malloc(size_of::<Errand>()) }.cast::<Errand>();
    if errand.is_null() {
        return libc::EAGAIN;
    }
    // SAFETY: the memory is large enough, and aligned for anything; nobody else has seen it.
    unsafe { errand.write(Errand { scope, start, argument }) };
    // SAFETY: the caller's promise, with a start routine and an argument that belong together.
    let error = unsafe { next(thread, attributes, run, errand.cast()) };
    if error != 0 {
        // SAFETY: there is no thread that would free it.
        unsafe { libc::free(errand.cast()) };
    }
    error
}

/// The first function of a new thread. Ending a thread from C unwinds through here, where nothing
/// is left to do.
extern "C-unwind" fn run(errand: *mut c_void) -> *mut c_void {
    // SAFETY: `create` has written it, for this thread alone.
    let Errand { scope, start, argument } = unsafe { errand.cast::<Errand>().read() };
    // SAFETY: it came from `malloc`, and was read.
    unsafe { libc::free(errand) };
    if let Ok(table) = installed() {
        (table.scope_hand_down)(scope);
    }
    start(argument)
}

/// The `pthread_create` that would have been called without ours.
fn next() -> Option<Create> {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: the assembly above defines it, as the address of such a function or 0, and nobody
    // writes it.
    if let Some(sanitizers) = unsafe { tracemalloc_sanitizers_pthread_create } {
        return Some(sanitizers);
    }
    let mut found = NEXT.load(Ordering::Acquire);
    if found.is_null() {
        // SAFETY: looks up a name that ends in a zero.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
        NEXT.store(found, Ordering::Release);
    }
    // SAFETY: a function of this name has this type.
    (!found.is_null()).then(|| unsafe { core::mem::transmute::<*mut c_void, Create>(found) })
}
