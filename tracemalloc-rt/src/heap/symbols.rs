//! The names in a file that matter to a search, read from its symbols.

use object::elf::{FileHeader64, PF_W};
use object::read::elf::{ElfFile64, ElfSegment64, ElfSymbol};
use object::{
    Endianness, Object as _, ObjectSegment as _, ObjectSymbol as _, SegmentFlags, SymbolKind,
};

use crate::names::function_name::{self, THREAD_START};
use crate::names::provider::{Named, Statics};
use crate::util::sort::sort_by_key;

/// A symbol in a file.
type Elf<'a> = ElfSymbol<'a, 'a, FileHeader64<Endianness>>;
/// A part of a file that is loaded.
type Segment<'a> = ElfSegment64<'a, 'a, Endianness>;

/// The statics and thread-locals of this file, and its functions that threads begin with.
///
/// If `places` are given, sorted, only functions that contain one of them are returned. A file that
/// cannot be read, or that has no symbols, yields nothing.
///
/// The names of other functions are not read: a program has a hundred thousand, and they are long.
pub fn read(path: &str, places: Option<&[usize]>) -> Statics {
    let mut found = Statics::default();
    let Some(mapped) = MappedFile::open(path) else { return found };
    let Ok(file) = ElfFile64::<Endianness>::parse(mapped.bytes()) else { return found };
    let is_written = |segment: &Segment<'_>| matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.contains(PF_W));
    let written: Vec<(u64, u64)> = file
        .segments()
        .filter(is_written)
        .map(|segment| (segment.address(), segment.address().saturating_add(segment.size())))
        .collect();
    let can_start_a_thread = |start: usize, end: usize| {
        places.is_none_or(|places| {
            // A return address may be right behind the function.
            let first = places.partition_point(|place| *place <= start);
            places.get(first).is_some_and(|place| *place <= end)
        })
    };
    let visit = |symbol: Elf<'_>| {
        let start = symbol.address() as usize;
        let end = start.saturating_add(symbol.size() as usize);
        let list = match symbol.kind() {
            SymbolKind::Data
                if written.iter().any(|(from, to)| (*from..*to).contains(&symbol.address())) =>
            {
                &mut found.statics
            }
            SymbolKind::Tls => &mut found.thread_locals,
            SymbolKind::Text if can_start_a_thread(start, end) => &mut found.thread_starts,
            _ => return,
        };
        let is_wanted =
            |name: &&str| symbol.kind() != SymbolKind::Text || name.contains(THREAD_START);
        if let Some(name) = symbol.name().ok().filter(is_wanted) {
            list.push(Named { start, end, name: demangled(name) });
        }
    };
    let is_defined = |symbol: &Elf<'_>| symbol.size() != 0 && !symbol.is_undefined();
    if file.symbol_table().is_some() {
        file.symbols().filter(is_defined).for_each(visit);
    } else {
        file.dynamic_symbols().filter(is_defined).for_each(visit);
    }
    for list in [&mut found.statics, &mut found.thread_locals, &mut found.thread_starts] {
        // One name per place is enough.
        sort_by_key(list, |named| named.start);
        list.dedup_by_key(|named| named.start);
    }
    found
}

/// A symbol's name as people write it.
fn demangled(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    if name.contains(THREAD_START) { name } else { function_name::static_path(&name).to_owned() }
}

/// A file in memory, for as long as this lives.
#[derive(Debug)]
struct MappedFile {
    start: *mut libc::c_void,
    size: usize,
}

impl MappedFile {
    fn open(path: &str) -> Option<Self> {
        use std::os::fd::AsRawFd as _;

        let file = std::fs::File::open(path).ok()?;
        let size = usize::try_from(file.metadata().ok()?.len()).ok().filter(|size| *size > 0)?;
        // SAFETY: a mapping at an address of the kernel's choice touches no memory that exists.
        let start = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                size,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            )
        };
        (start != libc::MAP_FAILED).then_some(Self { start, size })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the file is mapped as long as `self` lives. A running program's file is not
        // shortened.
        unsafe { core::slice::from_raw_parts(self.start.cast(), self.size) }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: `open` mapped it with this size. Slices from `bytes` borrow `self`, so none is
        // left.
        unsafe { libc::munmap(self.start, self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_source() {
        for (mangled, name) in [
            ("_RNvCs1234_5store4SEEN", "store::SEEN"),
            ("_ZN5store4SEEN17h0123456789abcdefE", "store::SEEN"),
            ("environ", "environ"),
        ] {
            assert_eq!(demangled(mangled), name);
        }
    }
}
