//! Keeps what repeated runs print from being seen twice.

/// From now on, whatever this process prints goes nowhere: Rust, C, and processes that it starts.
pub fn redirect() {
    use std::io::Write;
    // What cannot be flushed was not going to be seen either.
    let _ = std::io::stdout().flush();
    #[cfg(unix)]
    // SAFETY: replaces two open descriptors by another; the path is a string that ends with a zero.
    unsafe {
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        if nowhere >= 0 {
            libc::dup2(nowhere, libc::STDOUT_FILENO);
            libc::dup2(nowhere, libc::STDERR_FILENO);
            libc::close(nowhere);
        }
    }
}
