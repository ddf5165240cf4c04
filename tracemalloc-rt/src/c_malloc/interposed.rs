//! The definitions of `malloc`, `free` and the like.
//!
//! Each is a few instructions of assembly. While nothing is traced, they jump to the C library's
//! function. Otherwise they pass the caller's registers to a function below, as further arguments,
//! and jump there: that function returns to the caller itself.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};

use crate::trace::c_record::{self, allocated, freed};
use crate::trace::capture::unwind_rule::Registers;
use crate::trace::capture::unwind_rules;
use crate::trace::guard;

/// 1 from the first call of [`arm`] on.
static ARMED: AtomicU8 = AtomicU8::new(0);

// Weak symbols have no stable attribute. `\name` gets its arguments, the place of its return
// address, and the caller's frame pointer in the registers that are named.
core::arch::global_asm!(
    ".macro tracemalloc_c_function name, traced, next, place, frame",
    ".weak \\name",
    ".type \\name, @function",
    ".p2align 4",
    "\\name:",
    ".cfi_startproc",
    "endbr64",
    "cmp byte ptr [rip + {armed}], 0",
    "je \\next",
    "mov \\place, rsp",
    "mov \\frame, rbp",
    "jmp \\traced",
    ".cfi_endproc",
    ".size \\name, . - \\name",
    ".endm",
    "tracemalloc_c_function malloc, {malloc}, __libc_malloc@PLT, rsi, rdx",
    "tracemalloc_c_function calloc, {calloc}, __libc_calloc@PLT, rdx, rcx",
    "tracemalloc_c_function realloc, {realloc}, __libc_realloc@PLT, rdx, rcx",
    "tracemalloc_c_function free, {free}, __libc_free@PLT, rsi, rdx",
    "tracemalloc_c_function memalign, {memalign}, __libc_memalign@PLT, rdx, rcx",
    "tracemalloc_c_function valloc, {valloc}, __libc_valloc@PLT, rsi, rdx",
    "tracemalloc_c_function pvalloc, {pvalloc}, __libc_pvalloc@PLT, rsi, rdx",
    "tracemalloc_c_function aligned_alloc, {aligned_alloc}, __libc_memalign@PLT, rdx, rcx",
    ".macro tracemalloc_c_function_without_next name, traced, place, frame",
    ".weak \\name",
    ".type \\name, @function",
    ".p2align 4",
    "\\name:",
    ".cfi_startproc",
    "endbr64",
    "mov \\place, rsp",
    "mov \\frame, rbp",
    "jmp \\traced",
    ".cfi_endproc",
    ".size \\name, . - \\name",
    ".endm",
    "tracemalloc_c_function_without_next posix_memalign, {posix_memalign}, rcx, r8",
    "tracemalloc_c_function_without_next reallocarray, {reallocarray}, rcx, r8",
    ".weak dlclose",
    ".type dlclose, @function",
    ".set dlclose, {dlclose}",
    armed = sym ARMED,
    dlclose = sym traced_dlclose,
    malloc = sym traced_malloc,
    calloc = sym traced_calloc,
    realloc = sym traced_realloc,
    free = sym traced_free,
    memalign = sym traced_memalign,
    valloc = sym traced_valloc,
    pvalloc = sym traced_pvalloc,
    aligned_alloc = sym traced_memalign,
    posix_memalign = sym traced_posix_memalign,
    reallocarray = sym traced_reallocarray,
);

// The linker's choice of `malloc`, beside a second name for ours.
core::arch::global_asm!(
    ".hidden tracemalloc_c_malloc",
    ".globl tracemalloc_c_malloc",
    ".set tracemalloc_c_malloc, malloc",
);

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn tracemalloc_c_malloc(size: usize) -> *mut c_void;

    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn __libc_valloc(size: usize) -> *mut c_void;
    fn __libc_pvalloc(size: usize) -> *mut c_void;
}

/// Whether the program's `malloc` is the one of this file.
pub fn is_linked() -> bool {
    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    ptr::fn_addr_eq(malloc as Malloc, tracemalloc_c_malloc as Malloc)
}

/// Traces what C allocates from now on, whenever Rust's blocks are traced. False if that cannot be
/// done here.
pub fn arm() -> bool {
    static IS_POSSIBLE: AtomicBool = AtomicBool::new(false);
    if ARMED.load(Ordering::Acquire) == 0 && is_linked() && c_record::prepare() {
        IS_POSSIBLE.store(true, Ordering::Release);
        ARMED.store(1, Ordering::Release);
    }
    IS_POSSIBLE.load(Ordering::Acquire)
}

/// Calls an inner allocator: blocks that it gets from C are not recorded, as parts of them are
/// blocks of Rust.
#[inline(always)]
pub fn unseen<R>(allocate: impl FnOnce() -> R) -> R {
    guard::hold();
    let result = allocate();
    guard::let_go();
    result
}

/// The registers of the caller, of whose call `place` has the return address.
///
/// # Safety
///
/// The assembly above passes them.
#[inline(always)]
unsafe fn caller(place: *const usize, frame: usize) -> Registers {
    // SAFETY: by the promise of the caller.
    Registers { return_address: unsafe { *place }, stack: place.addr() + 8, frame }
}

/// # Safety
///
/// That of C's `malloc`, and of [`caller`]; so below.
unsafe extern "C" fn traced_malloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller; so below.
    unsafe {
        let block = __libc_malloc(size);
        allocated(block.addr(), size, caller(place, frame));
        block
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_calloc(
    count: usize,
    size: usize,
    place: *const usize,
    frame: usize,
) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let block = __libc_calloc(count, size);
        // The product overflows only if there is no block.
        allocated(block.addr(), count.wrapping_mul(size), caller(place, frame));
        block
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_realloc(
    block: *mut c_void,
    size: usize,
    place: *const usize,
    frame: usize,
) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let old = if block.is_null() { None } else { freed(block.addr()) };
        let new = __libc_realloc(block, size);
        match old {
            // Size 0 frees the block, and returns none.
            Some(old) if new.is_null() && size != 0 => {
                c_record::reallocation_failed(block.addr(), old);
            }
            _ => allocated(new.addr(), size, caller(place, frame)),
        }
        new
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_free(block: *mut c_void) {
    // SAFETY: by the promise of the caller.
    unsafe {
        if !block.is_null() {
            freed(block.addr());
        }
        __libc_free(block);
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_memalign(
    alignment: usize,
    size: usize,
    place: *const usize,
    frame: usize,
) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let block = __libc_memalign(alignment, size);
        allocated(block.addr(), size, caller(place, frame));
        block
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_valloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let block = __libc_valloc(size);
        allocated(block.addr(), size, caller(place, frame));
        block
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_pvalloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let block = __libc_pvalloc(size);
        allocated(block.addr(), size, caller(place, frame));
        block
    }
}

/// As glibc's own: `errno` stays, and the alignment has to be a power of two words.
///
/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_posix_memalign(
    result: *mut *mut c_void,
    alignment: usize,
    size: usize,
    place: *const usize,
    frame: usize,
) -> c_int {
    if !alignment.is_power_of_two() || alignment % size_of::<*const ()>() != 0 {
        return libc::EINVAL;
    }
    // SAFETY: by the promise of the caller.
    unsafe {
        let errno = *libc::__errno_location();
        let block = __libc_memalign(alignment, size);
        *libc::__errno_location() = errno;
        if block.is_null() {
            return libc::ENOMEM;
        }
        if is_armed() {
            allocated(block.addr(), size, caller(place, frame));
        }
        *result = block;
        0
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_reallocarray(
    block: *mut c_void,
    count: usize,
    size: usize,
    place: *const usize,
    frame: usize,
) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe {
        let Some(bytes) = count.checked_mul(size) else {
            *libc::__errno_location() = libc::ENOMEM;
            return ptr::null_mut();
        };
        if is_armed() {
            traced_realloc(block, bytes, place, frame)
        } else {
            __libc_realloc(block, bytes)
        }
    }
}

/// Closes a library: what is known of the code at its addresses is forgotten.
///
/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_dlclose(library: *mut c_void) -> c_int {
    type Close = unsafe extern "C" fn(*mut c_void) -> c_int;
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let mut next = NEXT.load(Ordering::Acquire);
    if next.is_null() {
        // SAFETY: looks up a name that ends in a zero.
        next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"dlclose".as_ptr()) };
        NEXT.store(next, Ordering::Release);
    }
    if next.is_null() {
        return -1;
    }
    // SAFETY: a function of this name has this type, and the caller's promise is handed on.
    let status = unsafe { core::mem::transmute::<*mut c_void, Close>(next)(library) };
    unwind_rules::forget();
    status
}

fn is_armed() -> bool {
    ARMED.load(Ordering::Relaxed) != 0
}
