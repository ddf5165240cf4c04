//! The definitions of `malloc`, `free` and the like.
//!
//! Each is a few instructions of assembly. While nothing is traced, they jump to the C library's
//! function. Otherwise they pass the caller's registers to a function below, as further arguments,
//! and jump there: that function returns to the caller itself.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{CStr, c_int, c_void};
use core::hint::black_box;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};

use crate::os::memcheck::runs_on_memcheck;
use crate::trace::c_record::{self, allocated, freed};
use crate::trace::capture::unwind_rules;
use crate::trace::capture::unwind_rules::rule::Registers;
use crate::trace::guard;

/// 1 from the first call of [`arm`] on.
static ARMED: AtomicU8 = AtomicU8::new(0);
static DIRECT: AtomicBool = AtomicBool::new(false);

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
    "tracemalloc_c_function free_sized, {free}, __libc_free@PLT, rsi, rdx",
    "tracemalloc_c_function free_aligned_sized, {free}, __libc_free@PLT, rsi, rdx",
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
    ".macro tracemalloc_c_alias name, traced",
    ".weak \\name",
    ".type \\name, @function",
    ".set \\name, \\traced",
    ".endm",
    "tracemalloc_c_alias malloc_usable_size, {malloc_usable_size}",
    "tracemalloc_c_alias dlclose, {dlclose}",
    "tracemalloc_c_alias pthread_getattr_np, {pthread_getattr_np}",
    armed = sym ARMED,
    dlclose = sym traced_dlclose,
    pthread_getattr_np = sym traced_pthread_getattr_np,
    malloc = sym traced_malloc,
    calloc = sym traced_calloc,
    realloc = sym traced_realloc,
    free = sym traced_free,
    memalign = sym traced_memalign,
    valloc = sym traced_valloc,
    pvalloc = sym traced_pvalloc,
    aligned_alloc = sym traced_memalign,
    posix_memalign = sym traced_posix_memalign,
    malloc_usable_size = sym traced_malloc_usable_size,
);

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn __libc_valloc(size: usize) -> *mut c_void;
    fn __libc_pvalloc(size: usize) -> *mut c_void;
}

/// Defines a second name for functions of this file, and the list of both names' addresses.
macro_rules! second_names {
    ($($name:ident $second:ident)*) => {
        core::arch::global_asm!($(
            concat!(".hidden ", stringify!($second)),
            concat!(".globl ", stringify!($second)),
            concat!(".set ", stringify!($second), ", ", stringify!($name)),
        )*);

        unsafe extern "C" {
            $(fn $name(); fn $second();)*
        }

        /// The addresses of the functions that the linker has chosen, and of those of this file.
        fn chosen_and_ours() -> impl Iterator<Item = (usize, usize)> {
            [$(($name as *const () as usize, $second as *const () as usize)),*].into_iter()
        }
    };
}

second_names! {
    malloc tracemalloc_c_malloc
    calloc tracemalloc_c_calloc
    realloc tracemalloc_c_realloc
    free tracemalloc_c_free
    memalign tracemalloc_c_memalign
    aligned_alloc tracemalloc_c_aligned_alloc
    posix_memalign tracemalloc_c_posix_memalign
}

/// Whether `malloc`, `free` and the like are those of this file, for the program and its libraries.
fn is_linked() -> bool {
    // SAFETY: looks up a name that ends in a zero.
    let is_ours_for_libraries = |name: &CStr, ours: unsafe extern "C" fn()| unsafe {
        libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).addr() == ours as *const () as usize
    };
    // The compiler believes that functions of two names have two addresses.
    chosen_and_ours().all(|(chosen, ours)| black_box(chosen) == black_box(ours))
        && is_ours_for_libraries(c"malloc", tracemalloc_c_malloc)
        && is_ours_for_libraries(c"free", tracemalloc_c_free)
}

/// Why C's blocks cannot be traced; `None` if they can.
pub fn obstacle() -> Option<&'static str> {
    if !is_linked() {
        Some("another allocator defines `malloc`")
    } else if !unwind_rules::prepare() {
        Some("its C library is older than glibc 2.35")
    } else {
        None
    }
}

/// Traces what C allocates from now on, whenever Rust's blocks are traced. False if that cannot be
/// done here.
pub fn arm() -> bool {
    static IS_POSSIBLE: AtomicBool = AtomicBool::new(false);
    if ARMED.load(Ordering::Acquire) == 0 && obstacle().is_none() {
        c_record::prepare();
        IS_POSSIBLE.store(true, Ordering::Release);
        DIRECT.store(!runs_on_memcheck(), Ordering::Release);
        ARMED.store(1, Ordering::Release);
    }
    IS_POSSIBLE.load(Ordering::Acquire)
}

/// As [`arm`]. The program's view gets C's blocks, too.
pub fn arm_for_program() {
    if arm() {
        c_record::show_in_view();
    }
}

/// Whether Rust's blocks are allocated by the C library's second names. They come from one heap
/// with all others, so this may change at any time. On Memcheck, which replaces the first names,
/// they would not.
#[inline(always)]
pub fn is_direct() -> bool {
    DIRECT.load(Ordering::Relaxed)
}

/// C's allocator, by the names that trace nothing.
pub struct CLibrary;

pub const C_LIBRARY: CLibrary = CLibrary;

/// The alignment that C's blocks always have.
const ALIGNED: usize = 16;

/// Whether `malloc` aligns a block of this layout.
#[inline(always)]
fn is_aligned_anyway(layout: Layout) -> bool {
    layout.align() <= ALIGNED && layout.align() <= layout.size()
}

// SAFETY: these are the calls of std's `System`, under other names.
unsafe impl GlobalAlloc for CLibrary {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: takes any size, and any power of two for an alignment.
        unsafe {
            if is_aligned_anyway(layout) {
                __libc_malloc(layout.size()).cast()
            } else {
                __libc_memalign(layout.align().max(size_of::<usize>()), layout.size()).cast()
            }
        }
    }

    #[inline(always)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above; a block has as many bytes as it was made with.
        unsafe {
            if is_aligned_anyway(layout) {
                return __libc_calloc(layout.size(), 1).cast();
            }
            let block = self.alloc(layout);
            if !block.is_null() {
                ptr::write_bytes(block, 0, layout.size());
            }
            block
        }
    }

    #[inline(always)]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { __libc_free(block.cast()) };
    }

    #[inline(always)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is handed on; the new layout is valid, by that promise.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            if is_aligned_anyway(new_layout) {
                return __libc_realloc(block.cast(), new_size).cast();
            }
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
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

/// Records a block, and returns it.
///
/// # Safety
///
/// That of [`caller`].
#[inline(always)]
unsafe fn noted(block: *mut c_void, size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    allocated(block.addr(), size, unsafe { caller(place, frame) });
    block
}

/// # Safety
///
/// That of C's `malloc`, and of [`caller`]; so below.
unsafe extern "C" fn traced_malloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller; so below.
    unsafe { noted(__libc_malloc(size), size, place, frame) }
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
        // The product overflows only if there is no block.
        noted(__libc_calloc(count, size), count.wrapping_mul(size), place, frame)
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
        let registers = caller(place, frame);
        let old = if block.is_null() { None } else { freed(block.addr(), registers) };
        let new = __libc_realloc(block, size);
        match old {
            // Size 0 frees the block, and returns none.
            Some(old) if new.is_null() && size != 0 => {
                c_record::reallocation_failed(block.addr(), old);
            }
            _ => allocated(new.addr(), size, registers),
        }
        new
    }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_free(block: *mut c_void, place: *const usize, frame: usize) {
    // SAFETY: by the promise of the caller.
    unsafe {
        if !block.is_null() {
            freed(block.addr(), caller(place, frame));
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
    unsafe { noted(__libc_memalign(alignment, size), size, place, frame) }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_valloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe { noted(__libc_valloc(size), size, place, frame) }
}

/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_pvalloc(size: usize, place: *const usize, frame: usize) -> *mut c_void {
    // SAFETY: by the promise of the caller.
    unsafe { noted(__libc_pvalloc(size), size, place, frame) }
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
            noted(block, size, place, frame);
        }
        *result = block;
        0
    }
}

/// The size that a block has in the C library. The name is defined here for one case: another
/// shared library defines it too, but has no [`__libc_malloc`]. It does not know our blocks.
///
/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_malloc_usable_size(block: *mut c_void) -> usize {
    type Size = unsafe extern "C" fn(*mut c_void) -> usize;
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let Some(next) = once(&NEXT, beside_malloc) else { return 0 };
    // SAFETY: a function of this name has this type, and the caller's promise is handed on.
    unsafe { core::mem::transmute::<*mut c_void, Size>(next.as_ptr())(block) }
}

/// `malloc_usable_size` of the library that has `__libc_malloc`. Null if there is none.
fn beside_malloc() -> *mut c_void {
    // SAFETY: plain data.
    let mut library = unsafe { core::mem::zeroed::<libc::Dl_info>() };
    // SAFETY: takes any address. Its names last, and the library is loaded already.
    unsafe {
        if libc::dladdr(__libc_malloc as *const c_void, &raw mut library) == 0 {
            return ptr::null_mut();
        }
        let library = libc::dlopen(library.dli_fname, libc::RTLD_NOLOAD | libc::RTLD_LAZY);
        if library.is_null() {
            return ptr::null_mut();
        }
        libc::dlsym(library, c"malloc_usable_size".as_ptr())
    }
}

/// Tells the attributes of a thread. The C library allocates meanwhile, with a lock of the thread
/// held, and a new thread of ours takes that lock for its own attributes. So these blocks are not
/// recorded.
///
/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_pthread_getattr_np(
    thread: libc::pthread_t,
    attributes: *mut libc::pthread_attr_t,
) -> c_int {
    type Get = unsafe extern "C" fn(libc::pthread_t, *mut libc::pthread_attr_t) -> c_int;
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let Some(next) = next(&NEXT, c"pthread_getattr_np") else { return libc::ENOSYS };
    // SAFETY: a function of this name has this type, and the caller's promise is handed on.
    unseen(|| unsafe {
        core::mem::transmute::<*mut c_void, Get>(next.as_ptr())(thread, attributes)
    })
}

/// The function that the program would call by this name without ours.
fn next(known: &AtomicPtr<c_void>, name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: looks up a name that ends in a zero.
    once(known, || unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) })
}

/// The function that is known, or else looked up unseen.
fn once(
    known: &AtomicPtr<c_void>,
    look_up: impl FnOnce() -> *mut c_void,
) -> Option<NonNull<c_void>> {
    let mut found = known.load(Ordering::Acquire);
    if found.is_null() {
        found = unseen(look_up);
        known.store(found, Ordering::Release);
    }
    NonNull::new(found)
}

/// Closes a library: what is known of the code at its addresses is forgotten.
///
/// # Safety
///
/// That of C's function.
unsafe extern "C" fn traced_dlclose(library: *mut c_void) -> c_int {
    type Close = unsafe extern "C" fn(*mut c_void) -> c_int;
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let Some(next) = next(&NEXT, c"dlclose") else { return -1 };
    // SAFETY: a function of this name has this type, and the caller's promise is handed on.
    let status = unsafe { core::mem::transmute::<*mut c_void, Close>(next.as_ptr())(library) };
    unwind_rules::forget();
    status
}

fn is_armed() -> bool {
    ARMED.load(Ordering::Relaxed) != 0
}
