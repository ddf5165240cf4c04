//! The tests, where C's blocks are traced.

use std::ffi::{CStr, c_int, c_void};
use std::hint::black_box;
use std::ptr;

use tracemalloc::Tracemalloc;
use tracemalloc::internal::{self, Live, LiveBlock, Walk, c_malloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

unsafe extern "C" {
    fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void;
    fn valloc(size: usize) -> *mut c_void;
    fn pvalloc(size: usize) -> *mut c_void;
}

pub fn main() {
    // SAFETY: fork handlers that allocate, registered before those of the runtime, so that these
    // run in the midst of them.
    unsafe { libc::pthread_atfork(Some(allocate), Some(allocate), Some(allocate)) };
    if let Some(obstacle) = c_malloc::obstacle() {
        assert_eq!(obstacle, "its C library is older than glibc 2.35");
        return;
    }
    untraced();
    view();
    assert!(c_malloc::arm());
    for walk in [Walk::FramePointers, Walk::Either] {
        internal::start(walk, 64);
        every_function();
        sizes();
        errors_and_errno();
        across_languages();
        pauses();
        threads();
        attributes_of_threads();
        forks();
        libraries();
        assert_eq!(internal::missed(), 0);
        internal::stop();
    }
    untraced();
}

extern "C" fn allocate() {
    // SAFETY: frees what it has allocated.
    unsafe { libc::free(black_box(libc::malloc(40))) };
}

/// A program that traces for itself sees C's blocks, without a word about them.
fn view() {
    tracemalloc::start(1).expect("the allocator traces");
    let (before, _) = tracemalloc::get_traced_memory();
    // SAFETY: frees what it has allocated.
    unsafe {
        let block = libc::malloc(black_box(5000));
        assert_eq!(tracemalloc::get_traced_memory().0, before + 5000);
        libc::free(block);
    }
    assert_eq!(tracemalloc::get_traced_memory().0, before);
    tracemalloc::stop();
}

/// The blocks that are live now and were not before, by domain.
struct Since(Live);

impl Since {
    fn now() -> Self {
        Self(Live::now())
    }

    /// Bytes and blocks.
    fn sum(&self) -> (i64, i64) {
        let changes = Live::now().changes_since(&self.0);
        changes
            .iter()
            .fold((0, 0), |(bytes, blocks), change| (bytes + change.bytes, blocks + change.blocks))
    }
}

fn block_at(address: *mut c_void) -> Option<LiveBlock> {
    let mut found = None;
    internal::for_each_block(|block| {
        if block.address == address.addr() {
            found = Some(block);
        }
    });
    found
}

fn untraced() {
    let since = Since::now();
    // SAFETY: frees what it has allocated.
    unsafe {
        let block = black_box(libc::malloc(100));
        assert_eq!(since.sum(), (0, 0));
        assert_eq!(block_at(block), None);
        libc::free(block);
    }
}

fn every_function() {
    // SAFETY: C's functions are called as C has them, and each block is freed once.
    unsafe {
        let since = Since::now();
        let mut aligned = ptr::null_mut();
        assert_eq!(libc::posix_memalign(&raw mut aligned, 256, 1000), 0);
        let blocks = [
            (libc::malloc(10), 10),
            (libc::calloc(3, 7), 21),
            (libc::realloc(ptr::null_mut(), 33), 33),
            (reallocarray(ptr::null_mut(), 5, 9), 45),
            (libc::aligned_alloc(64, 128), 128),
            (libc::memalign(32, 77), 77),
            (valloc(50), 50),
            (pvalloc(60), 60),
            (aligned, 1000),
            (libc::strdup(c"seven b".as_ptr()).cast(), 8),
        ];
        let blocks = black_box(blocks);
        let sum: i64 = blocks.iter().map(|(_, size)| size).sum();
        assert_eq!(since.sum(), (sum, blocks.len() as i64));
        for (address, size) in blocks {
            let block = block_at(address).expect("it is live");
            assert_eq!((block.domain, block.size as i64), (1, size));
            assert!(!address.is_null());
            libc::free(address);
        }
        assert_eq!(since.sum(), (0, 0));
        libc::free(ptr::null_mut());
    }
}

fn sizes() {
    // SAFETY: as above.
    unsafe {
        let since = Since::now();
        for size in [0, 1, 15, 16, 17, 24, 25, 4096, 1 << 20, 200 << 20] {
            let block = black_box(libc::malloc(size));
            assert_eq!(since.sum(), (size as i64, 1));
            let block = libc::realloc(block, size * 2 + 1);
            assert_eq!(since.sum(), (size as i64 * 2 + 1, 1));
            assert_eq!(libc::realloc(block, 0), ptr::null_mut());
            assert_eq!(since.sum(), (0, 0));
        }
    }
}

fn errors_and_errno() {
    // SAFETY: as above.
    unsafe {
        let since = Since::now();
        let errno = libc::__errno_location();
        *errno = 77;
        let block = black_box(libc::malloc(10));
        assert_eq!(*errno, 77);
        let impossible = black_box(usize::MAX / 2);
        assert!(libc::malloc(impossible).is_null());
        assert_eq!(*errno, libc::ENOMEM);
        assert!(libc::calloc(impossible, 3).is_null());
        assert!(libc::realloc(block, impossible).is_null());
        *errno = 0;
        assert!(reallocarray(block, impossible, 3).is_null());
        assert_eq!(*errno, libc::ENOMEM);
        *errno = 77;
        let mut aligned = ptr::null_mut();
        assert_eq!(libc::posix_memalign(&raw mut aligned, 3, 8), libc::EINVAL);
        assert_eq!(libc::posix_memalign(&raw mut aligned, 24, 8), libc::EINVAL);
        assert_eq!(libc::posix_memalign(&raw mut aligned, 64, impossible), libc::ENOMEM);
        assert_eq!(*errno, 77);
        assert_eq!(since.sum(), (10, 1), "a block that could not grow is still live");
        libc::free(block);
        assert_eq!(*errno, 77);
        assert_eq!(since.sum(), (0, 0));
    }
}

fn across_languages() {
    let since = Since::now();
    // SAFETY: Rust's blocks are `malloc`'s, by `System`.
    unsafe {
        let of_rust = Box::into_raw(Box::new([1_u8; 100]));
        assert_eq!(since.sum(), (100, 1));
        assert_eq!(block_at(of_rust.cast()).map(|block| block.domain), Some(0));
        libc::free(of_rust.cast());
        assert_eq!(since.sum(), (0, 0));

        let of_c = libc::malloc(100).cast::<[u8; 100]>();
        assert_eq!(since.sum(), (100, 1));
        drop(Box::from_raw(of_c));
        assert_eq!(since.sum(), (0, 0));

        let mut vec = Vec::from_raw_parts(libc::malloc(100).cast::<u8>(), 0, 100);
        vec.reserve_exact(1000);
        assert_eq!(block_at(vec.as_mut_ptr().cast()).map(|block| block.domain), Some(0));
        let of_both = libc::realloc(vec.leak().as_mut_ptr().cast(), 2000);
        assert_eq!(since.sum(), (2000, 1));
        assert_eq!(block_at(of_both).map(|block| block.domain), Some(1));
        libc::free(of_both);
    }
    assert_eq!(since.sum(), (0, 0));
}

fn pauses() {
    let since = Since::now();
    // SAFETY: as above.
    unsafe {
        let pause = internal::pause();
        let unseen = black_box(libc::malloc(100));
        drop(pause);
        assert_eq!(since.sum(), (0, 0));
        let seen = black_box(libc::malloc(50));
        let pause = internal::pause();
        libc::free(seen);
        drop(pause);
        libc::free(unseen);
    }
    assert_eq!(since.sum(), (0, 0));
}

fn threads() {
    // The first thread makes what std keeps of threads.
    std::thread::spawn(|| {}).join().expect("no panic");
    let since = Since::now();
    let threads = [0, 1, 2, 3].map(|thread| std::thread::spawn(move || allocate_much(thread)));
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(since.sum(), (0, 0));
}

fn allocate_much(thread: usize) {
    for round in 0..5_000 {
        // SAFETY: as above.
        unsafe {
            let block = libc::malloc(thread * 1000 + round % 100);
            let block = black_box(libc::realloc(block, round + 1));
            let text = libc::strdup(c"text".as_ptr());
            libc::free(black_box(block));
            libc::free(black_box(text).cast());
        }
    }
}

/// The C library allocates for these with a lock of the thread held, which a new thread of ours
/// takes too.
fn attributes_of_threads() {
    extern "C" fn of_c(_: *mut c_void) -> *mut c_void {
        // SAFETY: the attributes are written before they are destroyed.
        unsafe {
            libc::alarm(60);
            let mut attributes = std::mem::zeroed();
            assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes), 0);
            libc::pthread_attr_destroy(&raw mut attributes);
            libc::free(black_box(libc::malloc(100)));
            libc::alarm(0);
        }
        ptr::null_mut()
    }
    // A thread of C, whose first allocation this is.
    let run = || {
        // SAFETY: the thread is joined.
        unsafe {
            let mut thread = 0;
            let (attributes, argument) = (ptr::null(), ptr::null_mut());
            assert_eq!(libc::pthread_create(&raw mut thread, attributes, of_c, argument), 0);
            assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
        }
    };
    run();
    let since = Since::now();
    run();
    assert_eq!(since.sum(), (0, 0));
}

fn forks() {
    let since = Since::now();
    // Other threads hold locks while the process forks.
    let threads = [0, 1].map(|thread| std::thread::spawn(move || allocate_much(thread)));
    for _ in 0..20 {
        // SAFETY: the child allocates, and ends, for a signal if it hangs.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::alarm(60);
                let since = Since::now();
                let block = black_box(libc::malloc(100));
                let is_counted = since.sum() == (100, 1);
                libc::free(block);
                let boxed = black_box(Box::new(7));
                let is_freed = since.sum() == (4, 1);
                drop(boxed);
                libc::_exit(if is_counted && is_freed { 0 } else { 1 });
            }
            let mut status: c_int = 0;
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            assert_eq!(status, 0);
        }
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(since.sum(), (0, 0));
}

extern "C" fn compare(one: *const c_void, other: *const c_void) -> c_int {
    // SAFETY: `qsort` passes elements of the array.
    unsafe { i32::cmp(&*one.cast(), &*other.cast()) as c_int }
}

fn libraries() {
    // SAFETY: C's functions are called as C has them.
    unsafe {
        let sorted = |len: i32| {
            let mut numbers: Vec<i32> = (0..len).rev().collect();
            libc::qsort(numbers.as_mut_ptr().cast(), numbers.len(), 4, Some(compare));
            numbers.is_sorted()
        };
        let since = Since::now();
        assert!(sorted(100_000));
        assert_eq!(since.sum(), (0, 0));
        // The C library keeps what its first use has made.
        let use_it = || {
            let name = c"localhost".as_ptr();
            let mut found = ptr::null_mut();
            if libc::getaddrinfo(name, ptr::null(), ptr::null(), &raw mut found) == 0 {
                libc::freeaddrinfo(found);
            }
            libc::setlocale(libc::LC_ALL, c"".as_ptr());
            let file = libc::fopen(c"/dev/null".as_ptr(), c"w".as_ptr());
            libc::fputs(c"text".as_ptr(), file);
            libc::fclose(file);
            let library = libc::dlopen(c"libm.so.6".as_ptr(), libc::RTLD_NOW);
            assert!(!library.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
            assert_eq!(libc::dlclose(library), 0);
        };
        (0..3).for_each(|_| use_it());
        let since = Since::now();
        (0..3).for_each(|_| use_it());
        assert_eq!(since.sum(), (0, 0));
    }
}
