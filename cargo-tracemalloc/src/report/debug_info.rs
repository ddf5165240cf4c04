//! A binary's debug information, loaded for one reading.

use std::path::Path;

use gimli::{Dwarf, EndianSlice, RunTimeEndian};
use object::{Object as _, ObjectSection as _, ReadCache};

/// A part of the debug information.
pub type Reader<'data> = EndianSlice<'data, RunTimeEndian>;

/// Loads the debug information of a binary for `read`.
pub fn with_debug_info<T>(
    binary: &Path,
    read: impl FnOnce(&Dwarf<Reader<'_>>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let cache = ReadCache::new(std::fs::File::open(binary)?);
    let file = object::File::parse(&cache)?;
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let sections = gimli::DwarfSections::load(|id| match file.section_by_name(id.name()) {
        Some(section) => section.uncompressed_data(),
        None => Ok(Default::default()),
    })?;
    read(&sections.borrow(|section| EndianSlice::new(section, endian)))
}
