//! pprof's protocol buffer, which the runtime writes, compressed by gzip.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use tracemalloc::internal::pprof::{self, Stack, StackFrame};

use crate::profile::Profile;

/// Renders a profile with the values of Go's heap profiles: objects and bytes in use.
pub fn render(profile: &Profile) -> Result<Vec<u8>> {
    let stacks = profile.stacks.iter().map(|stack| Stack {
        frames: stack
            .frames
            .iter()
            .map(|frame| StackFrame { function: frame.name(), file: &frame.file, line: frame.line })
            .collect(),
        blocks: stack.blocks,
        bytes: stack.bytes,
    });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&pprof::profile(stacks, 0))?;
    Ok(encoder.finish()?)
}
