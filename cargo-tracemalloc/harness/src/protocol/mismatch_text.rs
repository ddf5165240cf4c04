//! The words for blocks that one language allocated and the other one freed.

use tracemalloc::Domain;

use crate::protocol::test_entry::{FrameEntry, MismatchEntry};

/// `allocated by Rust at src/lib.rs:12, freed by C's `free` at src/shim.c:7 (3 blocks)`.
pub fn mismatch_text(mismatch: &MismatchEntry) -> String {
    let MismatchEntry { allocated_by, blocks, allocated, freed } = mismatch;
    let (by, freed_by) = match allocated_by {
        Domain::C => ("C", "Rust"),
        Domain::All | Domain::Rust => ("Rust", "C's `free`"),
    };
    let blocks = if *blocks == 1 { "1 block".to_owned() } else { format!("{blocks} blocks") };
    let (allocated, freed) = (place(allocated), place(freed));
    format!("allocated by {by}{allocated}, freed by {freed_by}{freed} ({blocks})")
}

/// ` at src/lib.rs:12`, or the function where no line is known.
fn place(frames: &[FrameEntry]) -> String {
    match frames.last() {
        Some(frame) if frame.line > 0 => format!(" at {}:{}", frame.file, frame.line),
        Some(frame) if !frame.function.is_empty() => format!(" in {}", frame.function),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_place() {
        let frame = |function: &str, line| FrameEntry {
            function: function.to_owned(),
            file: "src/a.rs".to_owned(),
            line,
            column: 0,
        };
        let mut mismatch = MismatchEntry {
            allocated_by: Domain::Rust,
            blocks: 1,
            allocated: vec![frame("main", 1), frame("make", 2)],
            freed: vec![frame("libz.so.1!inflateEnd", 0)],
        };
        let expected = "allocated by Rust at src/a.rs:2, freed by C's `free` in \
                        libz.so.1!inflateEnd (1 block)";
        assert_eq!(mismatch_text(&mismatch), expected);
        mismatch = MismatchEntry { allocated_by: Domain::C, blocks: 2, ..mismatch };
        mismatch.freed.clear();
        let expected = "allocated by C at src/a.rs:2, freed by Rust (2 blocks)";
        assert_eq!(mismatch_text(&mismatch), expected);
    }
}
