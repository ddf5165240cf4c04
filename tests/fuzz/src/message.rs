//! Messages with a right header and a right checksum.

use tracemalloc_harness::{Exchanged, ProgramNote, fnv, to_bytes};

/// More than a small value of any type takes.
const PADDING: usize = 1 << 10;

/// The bytes of a message of this type with this content.
///
/// Zeros are empty texts and lists. So nearly all short contents, with zeros behind, are a value of
/// the type: the message then has just the value's bytes.
pub fn message<T: Exchanged>(content: &[u8]) -> Vec<u8> {
    let mut padded = content.to_vec();
    padded.resize(content.len() + PADDING, 0);
    let mut rest = padded.as_slice();
    let value = T::read(&mut rest).map(|_| &padded[..padded.len() - rest.len()]);
    let content = value.unwrap_or(content);
    let mut bytes = header::<T>();
    bytes.extend(fnv::add(fnv::EMPTY, content).to_le_bytes());
    bytes.extend(content);
    bytes
}

/// The header line, as a message of another type has it.
fn header<T: Exchanged>() -> Vec<u8> {
    let note = to_bytes(&ProgramNote::default());
    let line = note.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).replace(ProgramNote::NAME, T::NAME).into_bytes()
}
