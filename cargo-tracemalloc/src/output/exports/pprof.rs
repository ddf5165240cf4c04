//! pprof's protocol buffer, compressed by gzip. The numbers are those of `profile.proto`.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use indexmap::IndexSet;
use prost::Message;

use crate::profile::{Profile, StackFrame};

/// Renders a profile with the values of Go's heap profiles: objects and bytes in use.
pub fn render(profile: &Profile) -> Result<Vec<u8>> {
    let mut tables = Tables::new();
    let sample_type = [("inuse_objects", "count"), ("inuse_space", "bytes")]
        .map(|(kind, unit)| ValueType { kind: tables.string(kind), unit: tables.string(unit) })
        .to_vec();
    let sample: Vec<Sample> = profile
        .stacks
        .iter()
        .map(|stack| Sample {
            // The most recent frame is the first one.
            location_id: stack.frames.iter().rev().map(|frame| tables.location(frame)).collect(),
            value: [stack.blocks, stack.bytes]
                .map(|sum| i64::try_from(sum).unwrap_or(i64::MAX))
                .into(),
        })
        .collect();
    let default_sample_type = tables.string("inuse_space");
    let (location, function) = (tables.location_rows(), tables.function_rows());
    let string_table = tables.strings.into_iter().map(str::to_owned).collect();
    let document =
        Document { sample_type, sample, location, function, string_table, default_sample_type };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&document.encode_to_vec())?;
    Ok(encoder.finish()?)
}

/// The tables of a document. An index is an identity, except that 0 is no function and no location.
struct Tables<'a> {
    strings: IndexSet<&'a str>,
    /// Name and file.
    functions: IndexSet<(&'a str, &'a str)>,
    locations: IndexSet<&'a StackFrame>,
}

impl<'a> Tables<'a> {
    fn new() -> Self {
        // The first string is the empty one.
        let strings = IndexSet::from([""]);
        Self { strings, functions: IndexSet::new(), locations: IndexSet::new() }
    }

    fn string(&mut self, text: &'a str) -> i64 {
        i64::try_from(self.strings.insert_full(text).0).unwrap_or(i64::MAX)
    }

    fn function(&mut self, frame: &'a StackFrame) -> u64 {
        self.functions.insert_full((frame.name(), &frame.file)).0 as u64 + 1
    }

    fn location(&mut self, frame: &'a StackFrame) -> u64 {
        self.locations.insert_full(frame).0 as u64 + 1
    }

    /// The rows of all locations.
    fn location_rows(&mut self) -> Vec<Location> {
        let frames: Vec<&StackFrame> = self.locations.iter().copied().collect();
        let rows = (1..).zip(frames).map(|(id, frame)| {
            let line = Line { function_id: self.function(frame), line: frame.line.into() };
            Location { id, line: vec![line] }
        });
        rows.collect()
    }

    /// The rows of all functions.
    fn function_rows(&mut self) -> Vec<Function> {
        let functions: Vec<(&str, &str)> = self.functions.iter().copied().collect();
        let rows = (1..).zip(functions).map(|(id, (name, file))| {
            let (name, filename) = (self.string(name), self.string(file));
            Function { id, name, system_name: name, filename }
        });
        rows.collect()
    }
}

/// `Profile` of `profile.proto`.
#[derive(Clone, PartialEq, Message)]
struct Document {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}
