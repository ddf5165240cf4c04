//! The unwinder that std is linked with, by the functions of the Itanium C++ ABI.
//!
//! The `backtrace` crate calls the same functions, and also reads debug information. A program that
//! only walks need not compile that.

use core::ffi::{c_int, c_void};
use core::marker::PhantomData;

/// The unwinder's data on one frame.
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
    fn _Unwind_GetCFA(context: *mut Context) -> usize;
    fn _Unwind_FindEnclosingFunction(address: *mut c_void) -> *mut c_void;
}

impl Frame<'_> {
    /// The address that the function continues at.
    pub fn address(&self) -> usize {
        // SAFETY: the unwinder has handed the context out, and the visit lasts.
        unsafe { _Unwind_GetIP(self.context) }
    }

    /// The first address of its function; 0 if that is not known.
    pub fn function(&self) -> usize {
        // SAFETY: the function takes any address.
        unsafe {
            _Unwind_FindEnclosingFunction(core::ptr::without_provenance_mut(self.address())).addr()
        }
    }

    /// The stack pointer of its function.
    pub fn stack_pointer(&self) -> usize {
        // SAFETY: the unwinder has handed the context out, and the visit lasts.
        unsafe { _Unwind_GetCFA(self.context) }
    }
}

/// Calls `visit` with the frames of this thread, innermost first, this function's included, as long
/// as it returns true. It must not panic.
pub fn for_each<V: FnMut(&Frame<'_>) -> bool>(mut visit: V) {
    extern "C" fn call<V: FnMut(&Frame<'_>) -> bool>(
        context: *mut Context,
        visit: *mut c_void,
    ) -> c_int {
        // SAFETY: it is the closure that is passed below, and no other code uses it meanwhile.
        let visit = unsafe { &mut *visit.cast::<V>() };
        if visit(&Frame { context, visited: PhantomData }) { NO_REASON } else { FAILURE }
    }
    // SAFETY: the unwinder passes the pointer on to `call`, which reads it as the type that it is.
    // A panic cannot leave `call`: that is `extern "C"`, and aborts.
    unsafe { _Unwind_Backtrace(call::<V>, (&raw mut visit).cast()) };
}
