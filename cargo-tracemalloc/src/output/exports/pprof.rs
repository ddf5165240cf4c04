//! pprof's protocol buffer, compressed by gzip. The numbers are those of `profile.proto`.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
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
    let Tables { strings, functions, locations, .. } = tables;
    let document = Document {
        sample_type,
        sample,
        location: locations,
        function: functions,
        string_table: strings,
        default_sample_type,
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&document.encode_to_vec())?;
    Ok(encoder.finish()?)
}

/// The tables of a document. Their indexes are the identities, except that 0 is no function and no
/// location.
struct Tables<'a> {
    strings: Vec<String>,
    string_indexes: HashMap<String, i64>,
    functions: Vec<Function>,
    function_ids: HashMap<(&'a str, &'a str), u64>,
    locations: Vec<Location>,
    location_ids: HashMap<&'a StackFrame, u64>,
}

impl<'a> Tables<'a> {
    fn new() -> Self {
        let mut tables = Self {
            strings: Vec::new(),
            string_indexes: HashMap::new(),
            functions: Vec::new(),
            function_ids: HashMap::new(),
            locations: Vec::new(),
            location_ids: HashMap::new(),
        };
        // The first string is the empty one.
        tables.string("");
        tables
    }

    fn string(&mut self, text: &str) -> i64 {
        if let Some(index) = self.string_indexes.get(text) {
            return *index;
        }
        let index = i64::try_from(self.strings.len()).unwrap_or(i64::MAX);
        self.strings.push(text.to_owned());
        self.string_indexes.insert(text.to_owned(), index);
        index
    }

    fn function(&mut self, frame: &'a StackFrame) -> u64 {
        let key = (frame.name(), frame.file.as_str());
        if let Some(id) = self.function_ids.get(&key) {
            return *id;
        }
        let id = self.functions.len() as u64 + 1;
        let (name, filename) = (self.string(key.0), self.string(key.1));
        self.functions.push(Function { id, name, system_name: name, filename });
        self.function_ids.insert(key, id);
        id
    }

    fn location(&mut self, frame: &'a StackFrame) -> u64 {
        if let Some(id) = self.location_ids.get(frame) {
            return *id;
        }
        let id = self.locations.len() as u64 + 1;
        let line = Line { function_id: self.function(frame), line: frame.line.into() };
        self.locations.push(Location { id, line: vec![line] });
        self.location_ids.insert(frame, id);
        id
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
