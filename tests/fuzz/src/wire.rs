//! Messages with right checksums: the first byte chooses the type. A value that was read is written
//! and read again as the same bytes.

use tracemalloc_harness::{
    Exchanged, LiveMemory, NameReply, NameRequest, ProgramNote, Session, TargetNote, TestEntry,
    TestList, from_bytes, to_bytes,
};

use crate::message::message;

/// One for each type of message.
const CHECKS: [fn(&[u8]) -> bool; 8] = [
    check_type::<TestEntry>,
    check_type::<Session>,
    check_type::<TargetNote>,
    check_type::<TestList>,
    check_type::<NameRequest>,
    check_type::<NameReply>,
    check_type::<ProgramNote>,
    check_type::<LiveMemory>,
];

/// Reads one message.
pub fn check(bytes: &[u8]) {
    let Some((choice, content)) = bytes.split_first() else { return };
    let _is_value = CHECKS[usize::from(*choice) % CHECKS.len()](content);
}

/// An empty value of each type.
pub fn seeds() -> Vec<Vec<u8>> {
    (0..CHECKS.len()).map(|choice| [&[choice as u8], [0; 256].as_slice()].concat()).collect()
}

/// Whether zeros are a value of each type. Otherwise the seeds would test only the first error.
pub fn seeds_are_values() -> bool {
    CHECKS.iter().all(|check| check(&[]))
}

/// Returns whether the content is a value.
fn check_type<T: Exchanged>(content: &[u8]) -> bool {
    let Ok(value) = from_bytes::<T>(&message::<T>(content)) else { return false };
    let again = to_bytes(&value);
    // A map sorts its keys, so the bytes may differ once.
    let value = from_bytes::<T>(&again).ok().expect("what is written can be read");
    assert_eq!(to_bytes(&value), again);
    true
}
