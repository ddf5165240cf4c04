//! The message of a panic.

use std::any::Any;

/// The message in a panic's payload, if it is one. (`PanicHookInfo::payload_as_str` does the same
/// since Rust 1.91.)
pub fn panic_message(payload: &(dyn Any + Send)) -> Option<&str> {
    let string = payload.downcast_ref::<String>().map(String::as_str);
    string.or_else(|| payload.downcast_ref::<&'static str>().copied())
}
