//! The unwinder that std is linked with, by the functions of the Itanium C++ ABI.
//!
//! The `backtrace` crate calls the same ones, and reads debug information besides: who only walks
//! need not compile that.

use core::ffi::{c_int, c_void};
use core::marker::PhantomData;

/// What the unwinder knows of one frame.
#[repr(C)]
struct Context {
    _private: [u8; 0],
}

/// A frame, while it is visited.
pub struct Frame<'a> {
    context: *mut Context,
    visited: PhantomData<&'a Context>,
}

/// Go on.
const NO_REASON: c_int = 0;
/// Stop.
const FAILURE: c_int = 9;

unsafe extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut Context, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
    fn _Unwind_FindEnclosingFunction(address: *mut c_void) -> *mut c_void;
}

impl Frame<'_> {
    /// The address that it goes on at.
    pub fn address(&self) -> usize {
        // SAFETY: the unwinder has handed the context out, and the visit lasts.
        unsafe { _Unwind_GetIP(self.context) }
    }

    /// Where its function begins; 0 where that is not known.
    pub fn function(&self) -> usize {
        // SAFETY: any address may be asked for.
        unsafe {
            _Unwind_FindEnclosingFunction(core::ptr::without_provenance_mut(self.address())).addr()
        }
    }
}

/// Calls `visit` with the frames of this thread, innermost first, that of this function included,
/// as long as it says true. It must not panic.
pub fn for_each<V: FnMut(&Frame<'_>) -> bool>(mut visit: V) {
    extern "C" fn call<V: FnMut(&Frame<'_>) -> bool>(
        context: *mut Context,
        visit: *mut c_void,
    ) -> c_int {
        // SAFETY: it is what was handed in below, which nobody else uses meanwhile.
        let visit = unsafe { &mut *visit.cast::<V>() };
        if visit(&Frame { context, visited: PhantomData }) { NO_REASON } else { FAILURE }
    }
    // SAFETY: `call` takes what it is given back as what it is. A panic cannot leave it: it is
    // `extern "C"`, and would abort.
    unsafe { _Unwind_Backtrace(call::<V>, (&raw mut visit).cast()) };
}
