//! The stack of the thread that ends the process.

use tracemalloc::internal;

/// The lowest address of this thread's stack that belongs to the program, while an exit handler
/// runs. C's `exit` and its callees are below. Their frames have words that no code has written
/// since the program left its own frames there, and such words are no pointers.
pub fn of_program() -> usize {
    let here = 0_u8;
    let here = (&raw const here).addr();
    let caller_of_exit = internal::stack_pointer_of_caller(libc::exit as *const ());
    caller_of_exit.map_or(here, |caller| caller.max(here))
}
