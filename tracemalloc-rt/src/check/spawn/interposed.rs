//! The definition of `pthread_create` that starts threads in the scope of their creator.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::ptr;

use crate::bridge::{Table, installed};

type Start = extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> c_int;

/// The first work of a new thread: to enter its scope, and to call its start routine.
struct Errand {
    scope: u32,
    start: Start,
    argument: *mut c_void,
}

static ARMED: AtomicBool = AtomicBool::new(false);

// Weak symbols have no stable attribute. The runtime of a sanitizer has a `pthread_create` of its
// own, too. It has a second name for programs that define the first; without a sanitizer, the
// address of that name is 0.
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
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
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

/// Whether the program's `pthread_create` is the one of this file.
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
    if let Some(Ok(table)) = ARMED.load(Ordering::Acquire).then(installed) {
        if let scope @ 1.. = (table.scope_of_thread)() {
            // SAFETY: the caller's promise is handed on.
            return unsafe { create_in(table, scope, next, thread, attributes, start, argument) };
        }
    }
    // SAFETY: the caller's promise is handed on.
    unsafe { next(thread, attributes, start, argument) }
}

/// Starts a thread in a scope.
///
/// The thread is counted before it is started. Otherwise a check that ends before its thread begins
/// would give the scope's number to another check.
///
/// # Safety
///
/// That of `next`, which is a `pthread_create`.
unsafe fn create_in(
    table: &Table,
    scope: u32,
    next: Create,
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: allocates untraced, because memory that the new thread frees is none of the check's.
    let errand = unsafe { __libc_malloc(size_of::<Errand>()) }.cast::<Errand>();
    if errand.is_null() {
        return libc::EAGAIN;
    }
    // SAFETY: the memory is large enough, and aligned for anything; no other code has seen it.
    unsafe { errand.write(Errand { scope, start, argument }) };
    (table.scope_count_thread)(scope, true);
    // SAFETY: the caller's promise, with a start routine and an argument that belong together.
    let error = unsafe { next(thread, attributes, run, errand.cast()) };
    if error != 0 {
        (table.scope_count_thread)(scope, false);
        // SAFETY: there is no thread that would free it.
        unsafe { __libc_free(errand.cast()) };
    }
    error
}

/// The first function of a new thread. Ending a thread from C unwinds through here, where nothing
/// is left to do.
extern "C-unwind" fn run(errand: *mut c_void) -> *mut c_void {
    // SAFETY: `create_in` has written it, for this thread alone.
    let Errand { scope, start, argument } = unsafe { errand.cast::<Errand>().read() };
    // SAFETY: it came from `__libc_malloc`, and was read.
    unsafe { __libc_free(errand) };
    if let Ok(table) = installed() {
        (table.scope_hand_down)(scope);
    }
    start(argument)
}

/// The `pthread_create` that the program would call without this one.
fn next() -> Option<Create> {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: the assembly above defines it, as the address of such a function or 0, and no code
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::TABLE;

    extern "C-unwind" fn body(_: *mut c_void) -> *mut c_void {
        ptr::null_mut()
    }

    /// How many threads the scope has while its next thread is being created.
    static COUNTED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

    fn create_by(scope: u32, next: Create) -> c_int {
        let mut thread: libc::pthread_t = 0;
        let (attributes, argument) = (ptr::null(), ptr::null_mut());
        // SAFETY: the functions below do nothing with what they get but to free the errand.
        unsafe { create_in(&TABLE, scope, next, &raw mut thread, attributes, body, argument) }
    }

    unsafe extern "C" fn fails(
        _: *mut libc::pthread_t,
        _: *const libc::pthread_attr_t,
        _: Start,
        errand: *mut c_void,
    ) -> c_int {
        // SAFETY: it is the errand, which is freed only after this.
        let scope = unsafe { (*errand.cast::<Errand>()).scope };
        COUNTED.store((TABLE.scope_threads)(scope), Ordering::Relaxed);
        libc::EAGAIN
    }

    /// As if the new thread had not run yet.
    unsafe extern "C" fn starts_later(
        _: *mut libc::pthread_t,
        _: *const libc::pthread_attr_t,
        _: Start,
        errand: *mut c_void,
    ) -> c_int {
        // SAFETY: the thread that would free it never runs.
        unsafe { __libc_free(errand) };
        0
    }

    #[test]
    fn a_thread_counts_before_it_begins_and_not_after_an_error() {
        let scope = (TABLE.scope_begin)(1, false, false);
        assert_eq!(create_by(scope, fails), libc::EAGAIN);
        assert_eq!(COUNTED.load(Ordering::Relaxed), 1);
        assert_eq!((TABLE.scope_threads)(scope), 0);
        (TABLE.scope_end)(scope);
    }

    #[test]
    fn a_check_that_ends_before_its_thread_begins_keeps_its_number() {
        let scope = (TABLE.scope_begin)(1, false, false);
        assert_eq!(create_by(scope, starts_later), 0);
        (TABLE.scope_end)(scope);
        assert_eq!((TABLE.scope_threads)(scope), 1);
        let other = (TABLE.scope_begin)(1, false, false);
        assert_ne!(other, scope);
        (TABLE.scope_end)(other);
        // The thread begins, and ends, in the scope that has counted it.
        std::thread::spawn(move || (TABLE.scope_hand_down)(scope)).join().expect("no panic");
        assert_eq!((TABLE.scope_threads)(scope), 0);
    }
}
