//! The options for rustc that tracing needs in every crate.

use std::ffi::OsString;

use crate::runtimes::AllocatorSymbols;
use crate::wrapper::rustc_call::RustcCall;

/// Adds options to the arguments. Preferences come first, so that the user's options win.
///
/// `symbols` are the functions of an allocator that the crate may define. They must not be inlined,
/// because the tracing allocator replaces them by name.
pub fn with_tracing(
    args: &[OsString],
    call: &RustcCall,
    symbols: Option<&AllocatorSymbols>,
) -> Vec<OsString> {
    let mut flags: Vec<OsString> =
        ["-C", "force-frame-pointers=yes", "-C", "symbol-mangling-version=v0"]
            .map(OsString::from)
            .into();
    for symbol in symbols.into_iter().flat_map(AllocatorSymbols::iter) {
        flags.extend([
            OsString::from("-C"),
            format!("llvm-args=-force-attribute={symbol}:noinline").into(),
        ]);
    }
    flags.extend(args.iter().cloned());
    if !call.has_debuginfo() {
        // `line-tables-only` drops the modules and types of inlined functions, so it is raised.
        flags.extend(["-C", "debuginfo=1"].map(OsString::from));
    }
    if call.strips {
        flags.extend(["-C", "strip=none"].map(OsString::from));
    }
    flags
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{RustcCall, with_tracing};

    fn traced(line: &str) -> String {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let args = with_tracing(&args, &RustcCall::parse(&args), None);
        args.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn given_flags_win_or_are_completed() {
        let first = "-C force-frame-pointers=yes -C symbol-mangling-version=v0";
        assert_eq!(traced("-C debuginfo=2 a.rs"), format!("{first} -C debuginfo=2 a.rs"));
        assert_eq!(
            traced("-C debuginfo=line-tables-only a.rs"),
            format!("{first} -C debuginfo=line-tables-only a.rs -C debuginfo=1")
        );
        assert_eq!(
            traced("-C strip=debuginfo a.rs"),
            format!("{first} -C strip=debuginfo a.rs -C debuginfo=1 -C strip=none")
        );
    }
}
