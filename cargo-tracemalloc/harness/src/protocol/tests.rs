//! Messages as bytes: written, read and damaged.

use tracemalloc::{KeyType, Limits};

use crate::protocol::program_run::ProgramNote;
use crate::protocol::session::Session;
use crate::protocol::target_note::TargetNote;
use crate::protocol::test_entry::TestEntry;
use crate::protocol::wire::{WireError, from_bytes, to_bytes};

fn entry() -> TestEntry {
    TestEntry::failed("cache::fills", "why: \u{e4}\n".to_owned())
}

#[test]
fn written_values_are_read_again() {
    assert_eq!(from_bytes(&to_bytes(&entry())), Ok(entry()));
    let limits = Limits::new().max_growth(7).include("src/*").key(KeyType::Lineno);
    let session = Session { limits, timeout_seconds: Some(1.5), ..Session::default() };
    let read: Session = from_bytes(&to_bytes(&session)).unwrap();
    assert_eq!((read.timeout_seconds, read.limits), (Some(1.5), session.limits));
}

#[test]
fn no_byte_can_be_missing_added_or_changed() {
    let bytes = to_bytes(&entry());
    for end in 0..bytes.len() {
        assert!(from_bytes::<TestEntry>(&bytes[..end]).is_err(), "{end}");
    }
    for changed in 0..bytes.len() {
        // Among these is a byte that makes a length huge.
        let mut bytes = bytes.clone();
        bytes[changed] ^= 0xFF;
        assert!(from_bytes::<TestEntry>(&bytes).is_err(), "{changed}");
    }
    assert_eq!(
        from_bytes::<TestEntry>(&[bytes.as_slice(), b"x"].concat()),
        Err(WireError::Damaged)
    );
    assert_eq!(from_bytes::<TestEntry>(b"{}\n"), Err(WireError::Unknown));
}

#[test]
fn another_type_and_another_version_are_named() {
    let bytes = to_bytes(&ProgramNote::default());
    let error = from_bytes::<TargetNote>(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "the file holds a ProgramNote, expected a TargetNote");
    let text = String::from_utf8_lossy(&bytes).replace(env!("CARGO_PKG_VERSION"), "9.9.9");
    let error = from_bytes::<ProgramNote>(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("the file was written by cargo-tracemalloc 9.9.9-"), "{error}");
}
