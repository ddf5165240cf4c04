//! Makes an allocator's functions weak in its object file, and gives each a second name.
//!
//! A linker's `--wrap` does not redirect calls inside the defining object, and in small or
//! optimised crates nearly all calls are there. A weak function is replaced everywhere, with any
//! linker.

use anyhow::{Context as _, Result, bail};
use ar_archive_writer::{
    ArchiveKind, DEFAULT_OBJECT_READER, NewArchiveMember, write_archive_to_stream,
};
use camino::Utf8Path;
use fs_err as fs;
use object::elf::{self, FileHeader64, SectionHeader64};
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, FileKind, SectionIndex, U32, U64, pod};

use crate::runtimes::AllocatorSymbols;
use crate::util::file::write_atomically;

/// Changes an object file that defines the functions. Returns whether it did.
pub fn object(path: &Utf8Path, symbols: &AllocatorSymbols) -> Result<bool> {
    let data = fs::read(path)?;
    let Some(changed) =
        weakened(&data, symbols).with_context(|| format!("failed to change `{path}`"))?
    else {
        return Ok(false);
    };
    // A new file, because rustc's incremental cache may link to the old one.
    write_atomically(path, &changed)?;
    Ok(true)
}

/// Changes a library with an object that defines the functions. Returns whether it did.
pub fn library(path: &Utf8Path, symbols: &AllocatorSymbols) -> Result<bool> {
    let failed = || format!("failed to change `{path}`");
    let data = fs::read(path)?;
    let archive = ArchiveFile::parse(&*data).with_context(failed)?;
    let defines = archive.symbols().with_context(failed)?.into_iter().flatten().any(|symbol| {
        symbol.is_ok_and(|symbol| symbols.iter().any(|name| name.as_bytes() == symbol.name()))
    });
    if !defines {
        return Ok(false);
    }
    let mut any_changed = false;
    let mut members = Vec::new();
    for member in archive.members() {
        let member = member.with_context(failed)?;
        let content = member.data(&*data).with_context(failed)?;
        let changed = weakened(content, symbols).with_context(failed)?;
        any_changed |= changed.is_some();
        let content = changed.unwrap_or_else(|| content.to_owned());
        let name = String::from_utf8_lossy(member.name()).into_owned();
        members.push(NewArchiveMember::new(content, &DEFAULT_OBJECT_READER, name));
    }
    let mut out = std::io::Cursor::new(Vec::new());
    write_archive_to_stream(&mut out, &members, ArchiveKind::Gnu, false, None)
        .with_context(failed)?;
    write_atomically(path, out.get_ref())?;
    Ok(any_changed)
}

/// The changed object; `None` if it defines none of the functions, or is no 64-bit ELF.
///
/// New tables of symbols and of their names go to the end of the file. Nothing else moves.
fn weakened(data: &[u8], symbols: &AllocatorSymbols) -> Result<Option<Vec<u8>>> {
    if !matches!(FileKind::parse(data), Ok(FileKind::Elf64)) {
        return Ok(None);
    }
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let table = sections.symbols(endian, data, elf::SHT_SYMTAB)?;
    let Ok(names_section) = sections.section(table.string_section()) else {
        return Ok(None);
    };
    let mut names = names_section.data(endian, data)?.to_vec();
    let mut entries = table.symbols().to_vec();
    // A separate table holds section numbers that are too large for a symbol's entry.
    let shndx_section =
        sections.section(table.shndx_section()).ok().filter(|_| table.shndx_section().0 != 0);
    let mut places: Vec<U32<Endianness>> = match shndx_section {
        Some(section) => section.data_as_array(endian, data)?.to_vec(),
        None => Vec::new(),
    };
    for (index, symbol) in table.enumerate() {
        if symbol.is_undefined(endian) {
            continue;
        }
        let name = symbol.name(endian, table.strings())?;
        let Some((_, second_name)) =
            symbols.with_second_names().find(|(first, _)| first.as_bytes() == name)
        else {
            continue;
        };
        let mut second = *symbol;
        second.st_name = U32::new(endian, u32::try_from(names.len())?);
        names.extend(second_name.as_bytes());
        names.push(0);
        entries.push(second);
        entries[index.0].set_st_info(elf::STB_WEAK, symbol.st_type());
        if let Some(place) = places.get(index.0).copied() {
            places.push(place);
        }
    }
    if entries.len() == table.len() {
        return Ok(None);
    }

    let mut out = data.to_vec();
    let mut append = |section: SectionIndex, content: &[u8]| -> Result<()> {
        out.resize(out.len().next_multiple_of(8), 0);
        let place = out.len();
        out.extend(content);
        let header_place =
            header.e_shoff(endian) as usize + section.0 * size_of::<SectionHeader64<Endianness>>();
        let bytes = out.get_mut(header_place..).context("a section's header is beyond the end")?;
        let Ok((header, _)) = pod::from_bytes_mut::<SectionHeader64<Endianness>>(bytes) else {
            bail!("a section's header is cut off");
        };
        header.sh_offset = U64::new(endian, place as u64);
        header.sh_size = U64::new(endian, content.len() as u64);
        Ok(())
    };
    append(table.section(), pod::bytes_of_slice(&entries))?;
    append(table.string_section(), &names)?;
    if shndx_section.is_some() {
        append(table.shndx_section(), pod::bytes_of_slice(&places))?;
    }
    Ok(Some(out))
}
