//! The kind of a file that this program writes, and the command that opens it.
//!
//! Only the names of a JSON document's members are read, and one value at a time. So even a large
//! file takes little memory.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Result, anyhow};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// The blocks that were live at one moment.
    Snapshot,
    /// The report of a run of tests.
    Report,
    /// The lost and held memory of a program at its end.
    ExitHeap,
    /// The JSON output of a command for snapshots.
    Output,
    /// A report in SARIF.
    Sarif,
}

impl FileKind {
    /// The kind of a file, if it is one of them.
    pub fn of(path: &Path) -> Option<Self> {
        let file = BufReader::new(File::open(path).ok()?);
        let mut kind = None;
        // The rest of the document is not read, and may be damaged.
        let _rest = serde_json::Deserializer::from_reader(file)
            .deserialize_map(Members { kind: &mut kind });
        kind
    }

    /// A file of another kind that stands in place of `wanted`, as an error that says what opens
    /// it. `None` if the file's kind is wanted or unknown.
    pub fn instead_of(wanted: &[Self], path: &Path) -> Option<anyhow::Error> {
        let kind = Self::of(path).filter(|kind| !wanted.contains(kind))?;
        let path = path.display();
        let way = match kind.command() {
            Some(command) => format!("`cargo tracemalloc {command} {path}` opens it"),
            None => {
                let names: Vec<String> = wanted.iter().map(|wanted| wanted.to_string()).collect();
                format!("no command opens it; expected {}", names.join(" or "))
            }
        };
        Some(anyhow!("`{path}` is {kind}; {way}"))
    }

    /// Fails if the file has a kind, and it is none of the wanted ones.
    pub fn expect(wanted: &[Self], path: &Path) -> Result<()> {
        Self::instead_of(wanted, path).map_or(Ok(()), Err)
    }

    fn command(self) -> Option<&'static str> {
        match self {
            Self::Snapshot => Some("top"),
            Self::Report => Some("report"),
            Self::ExitHeap => Some("holders"),
            Self::Output | Self::Sarif => None,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Snapshot => "a snapshot",
            Self::Report => "a report of tests",
            Self::ExitHeap => "the lost and held memory of a program's end",
            Self::Output => "the JSON output of a command",
            Self::Sarif => "a report in SARIF, for other programs",
        })
    }
}

/// Reads the names of a document's members, until one tells the kind.
struct Members<'a> {
    kind: &'a mut Option<FileKind>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_schema = false;
        while let Some(name) = map.next_key::<String>()? {
            *self.kind = match name.as_str() {
                "format" if map.next_value::<String>()? == "tracemalloc snapshot" => {
                    Some(FileKind::Snapshot)
                }
                "$schema" if map.next_value::<String>()?.contains("sarif") => Some(FileKind::Sarif),
                "format" | "$schema" => continue,
                "tool_version" => Some(FileKind::Report),
                "lost" | "error" if has_schema => Some(FileKind::ExitHeap),
                "command" if has_schema => Some(FileKind::Output),
                _ => None,
            };
            if self.kind.is_some() {
                break;
            }
            map.next_value::<IgnoredAny>()?;
            has_schema |= name == "schema";
        }
        Ok(())
    }
}
