//! Detects whether the program runs on Memcheck, Valgrind's detector of memory errors.
//!
//! Valgrind recognises a sequence of instructions that changes nothing on a processor, and answers
//! it ("The Client Request mechanism", Valgrind's manual, section 3.1).

/// Whether the program runs on Memcheck. Valgrind's other tools do not answer.
pub fn runs_on_memcheck() -> bool {
    request(MAKE_DEFINED) != 0
}

/// Memcheck's request to take memory, here none, for written.
const MAKE_DEFINED: u64 = (b'M' as u64) << 24 | (b'C' as u64) << 16 | 2;

/// Makes a request without arguments. The answer is 0 from a processor, and from tools that
/// do not know the request.
fn request(request: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
    {
        let arguments = [request, 0, 0, 0, 0, 0];
        let mut answer = 0_u64;
        // SAFETY: on a processor, rdi is rotated by 128 bits in all, and rbx is exchanged with
        // itself. Valgrind reads the six arguments, and writes rdx.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
                in("rax") arguments.as_ptr(), inout("rdx") answer, options(readonly, nostack)
            );
        }
        answer
    }
    #[cfg(all(target_arch = "aarch64", target_os = "linux", not(miri)))]
    {
        let arguments = [request, 0, 0, 0, 0, 0];
        let mut answer = 0_u64;
        // SAFETY: on a processor, x12 is rotated by 128 bits in all, and x10 is copied to itself.
        // Valgrind reads the six arguments, and writes x3.
        unsafe {
            core::arch::asm!(
                "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
                "orr x10, x10, x10",
                in("x4") arguments.as_ptr(), inout("x3") answer, options(readonly, nostack)
            );
        }
        answer
    }
    #[cfg(not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64"),
        not(miri)
    )))]
    {
        _ = request;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::runs_on_memcheck;

    #[test]
    fn a_processor_is_not_taken_for_memcheck() {
        if std::env::var_os("VALGRIND_LAUNCHER").is_none() {
            assert!(!runs_on_memcheck());
        }
    }
}
