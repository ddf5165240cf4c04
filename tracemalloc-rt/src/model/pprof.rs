//! Live memory by stack as a profile of pprof: `profile.proto`, not compressed.
//!
//! It is written by hand. The format is only numbers and bytes, each behind the number of its
//! field, and a library would be most of what the feature compiles.

use crate::model::frame::Frame;
use crate::model::intern::Interner;

/// The live blocks of one stack.
#[derive(Debug, Clone)]
pub struct Stack<'a> {
    /// Its frames, oldest first.
    pub frames: Vec<StackFrame<'a>>,
    /// The number of blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A frame of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StackFrame<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The source file.
    pub file: &'a str,
    /// From 1; 0 is unknown.
    pub line: u32,
}

impl<'a> From<&'a Frame> for StackFrame<'a> {
    fn from(frame: &'a Frame) -> Self {
        let (file, line) = (frame.filename(), frame.lineno());
        Self { function: frame.function().unwrap_or(file), file, line }
    }
}

/// A profile with the values of Go's heap profiles: objects and bytes in use. `interval` is that of
/// sampling, whose values are estimates, or 0.
pub fn profile<'a>(stacks: impl IntoIterator<Item = Stack<'a>>, interval: u64) -> Vec<u8> {
    let (mut strings, mut profile) = (Strings::new(), Message::default());
    let types = [("inuse_objects", "count"), ("inuse_space", "bytes")];
    for (kind, unit) in types {
        profile.message(SAMPLE_TYPE, strings.value_type(kind, unit));
    }
    let mut frames = Interner::new();
    for stack in stacks {
        let mut sample = Message::default();
        // The most recent frame is the first one.
        sample.packed(1, stack.frames.iter().rev().map(|frame| 1 + u64::from(frames.id(*frame))));
        sample.packed(2, [stack.blocks, stack.bytes].map(|sum| sum.min(i64::MAX as u64)));
        profile.message(SAMPLE, sample);
    }
    let mut functions = Interner::new();
    for (id, frame) in (1..).zip(frames.into_items()) {
        let (mut location, mut line) = (Message::default(), Message::default());
        line.number(1, 1 + u64::from(functions.id((frame.function, frame.file))));
        line.number(2, u64::from(frame.line));
        location.number(1, id);
        location.message(4, line);
        profile.message(LOCATION, location);
    }
    for (id, (name, file)) in (1..).zip(functions.into_items()) {
        let mut function = Message::default();
        let (name, file) = (strings.id(name), strings.id(file));
        for (field, value) in [(1, id), (2, name), (3, name), (4, file)] {
            function.number(field, value);
        }
        profile.message(FUNCTION, function);
    }
    if interval != 0 {
        profile.message(PERIOD_TYPE, strings.value_type("space", "bytes"));
        profile.number(PERIOD, interval);
    }
    profile.number(DEFAULT_SAMPLE_TYPE, strings.id("inuse_space"));
    for string in strings.0.into_items() {
        profile.bytes(STRING_TABLE, string.as_bytes());
    }
    profile.0
}

/// The fields of a `Profile`.
const SAMPLE_TYPE: u64 = 1;
const SAMPLE: u64 = 2;
const LOCATION: u64 = 4;
const FUNCTION: u64 = 5;
const STRING_TABLE: u64 = 6;
const PERIOD_TYPE: u64 = 11;
const PERIOD: u64 = 12;
const DEFAULT_SAMPLE_TYPE: u64 = 14;

/// The texts of a profile, by number.
struct Strings<'a>(Interner<&'a str>);

impl<'a> Strings<'a> {
    fn new() -> Self {
        let mut strings = Self(Interner::new());
        // The first string is the empty one.
        strings.id("");
        strings
    }

    fn id(&mut self, text: &'a str) -> u64 {
        self.0.id(text).into()
    }

    fn value_type(&mut self, kind: &'a str, unit: &'a str) -> Message {
        let mut message = Message::default();
        message.number(1, self.id(kind));
        message.number(2, self.id(unit));
        message
    }
}

/// A message of a protocol buffer.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, message: Self) {
        self.bytes(field, &message.0);
    }

    /// Several numbers of one field.
    fn packed(&mut self, field: u64, values: impl IntoIterator<Item = u64>) {
        let mut packed = Self::default();
        values.into_iter().for_each(|value| packed.varint(value));
        self.message(field, packed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_the_bytes_of_the_format() {
        let frame = StackFrame { function: "f", file: "a.rs", line: 300 };
        let stack = Stack { frames: vec![frame], blocks: 2, bytes: 1 << 14 };
        let expected: &[&[u8]] = &[
            // The two types: strings 1 and 2, and 3 and 4.
            &[0x0A, 4, 0x08, 1, 0x10, 2],
            &[0x0A, 4, 0x08, 3, 0x10, 4],
            // A sample at location 1, with 2 blocks and 16,384 bytes.
            &[0x12, 9, 0x0A, 1, 1, 0x12, 4, 2, 0x80, 0x80, 1],
            // Location 1: line 300 of function 1.
            &[0x22, 9, 0x08, 1, 0x22, 5, 0x08, 1, 0x10, 0xAC, 2],
            // Function 1: strings 5 and 6.
            &[0x2A, 8, 0x08, 1, 0x10, 5, 0x18, 5, 0x20, 6],
            // One byte in 1024 is sampled: strings 7 and 4.
            &[0x5A, 4, 0x08, 7, 0x10, 4],
            &[0x60, 0x80, 8],
            &[0x70, 3],
            b"2\x002\x0Dinuse_objects2\x05count2\x0Binuse_space2\x05bytes2\x01f2\x04a.rs2\x05space",
        ];
        assert_eq!(profile([stack], 1024), expected.concat());
    }
}
