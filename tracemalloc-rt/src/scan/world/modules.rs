//! The executable and its libraries as they are loaded: where their data lies, and which statics are in it.
//!
//! The kernel is asked, not the dynamic linker, whose lock another thread may hold. Symbols are read from the files.

use object::elf::FileHeader64;
use object::read::elf::ElfSymbol;
use object::{Endianness, Object as _, ObjectSymbol as _, SymbolKind};

use super::c_heap::Range;
use super::system::File;
use crate::symbol_name;

/// A symbol in a file.
type Elf<'a> = ElfSymbol<'a, 'a, FileHeader64<Endianness>>;

/// An executable or a library.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its file.
    pub path: String,
    /// What is added to addresses in the file.
    pub bias: usize,
    /// Where it can be written.
    pub data: Vec<Range>,
    /// Where it can be executed.
    pub code: Vec<Range>,
    /// Bytes of each thread's copy of its thread-local storage, rounded up to their alignment.
    pub thread_local_size: usize,
    /// Whether it is the executable.
    pub is_executable: bool,
    /// Statics, by address.
    pub statics: Vec<Symbol>,
    /// Thread-locals, by their place in the thread's copy.
    pub thread_locals: Vec<Symbol>,
}

/// A static, a thread-local or a function.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Address, or place in the thread's copy.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Demangled, without a hash.
    pub name: String,
}

/// All modules, with the symbols that their files have.
pub fn loaded() -> Vec<Module> {
    let Ok(maps) = std::fs::read("/proc/self/maps") else { return Vec::new() };
    let Some(memory) = File::open(c"/proc/self/mem") else { return Vec::new() };
    let executable = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    let mut modules = Vec::new();
    for line in String::from_utf8_lossy(&maps).lines() {
        // `7f00-7f10 r--p 00000000 fe:01 42      /usr/lib/libc.so.6`: a module's headers are at the beginning of its file.
        let mut words = line.splitn(6, ' ');
        let (Some(bounds), Some(access), Some("00000000"), Some(_), Some(_), Some(path)) =
            (words.next(), words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let path = path.trim_start();
        let start = bounds.split_once('-').and_then(|(start, _)| usize::from_str_radix(start, 16).ok());
        if let Some(start) = start.filter(|_| access.starts_with('r') && path.starts_with('/'))
            && let Some(mut module) = Module::at(start, path, &memory)
        {
            module.is_executable = executable.to_str() == Some(path);
            module.read_symbols();
            modules.push(module);
        }
    }
    modules
}

impl Module {
    /// The module whose file is mapped at this address from its beginning.
    fn at(start: usize, path: &str, memory: &File) -> Option<Self> {
        const MAGIC: usize = usize::from_le_bytes([0x7F, b'E', b'L', b'F', 2, 1, 1, 0]);
        const IGNORED_ABI: usize = usize::MAX >> 8;
        const FIXED: usize = 2;
        let mut header = [0_usize; 8];
        if memory.words_at(&mut header, start) < header.len() || header[0] & IGNORED_ABI != MAGIC & IGNORED_ABI {
            return None;
        }
        let is_fixed = header[2] & 0xFFFF == FIXED;
        let (table, count) = (header[4], header[7] & 0xFFFF);
        // Words: type and flags, offset, address, physical address, size in the file, size in memory, alignment.
        let mut segments = vec![[0_usize; 7]; count];
        for (number, segment) in segments.iter_mut().enumerate() {
            memory.words_at(segment, start + table + number * 56);
        }
        const LOAD: usize = 1;
        const THREAD_LOCAL: usize = 7;
        const EXECUTE: usize = 1 << 32;
        const WRITE: usize = 2 << 32;
        let kind = |segment: &[usize; 7]| segment[0] & 0xFFFF_FFFF;
        let first = segments.iter().find(|segment| kind(segment) == LOAD)?[2] & !0xFFF;
        let bias = if is_fixed { 0 } else { start.wrapping_sub(first) };
        let ranges = |flag: usize| {
            let loaded = segments.iter().filter(|segment| kind(segment) == LOAD && segment[0] & flag != 0);
            loaded.map(|segment| (bias.wrapping_add(segment[2]), bias.wrapping_add(segment[2] + segment[5]))).collect()
        };
        let of_threads = segments.iter().find(|segment| kind(segment) == THREAD_LOCAL);
        Some(Self {
            path: path.to_owned(),
            bias,
            data: ranges(WRITE),
            code: ranges(EXECUTE),
            thread_local_size: of_threads.map_or(0, |segment| segment[5].next_multiple_of(segment[6].max(1))),
            is_executable: false,
            statics: Vec::new(),
            thread_locals: Vec::new(),
        })
    }

    /// Its file's name.
    pub fn name(&self) -> &str {
        let path = self.path.strip_suffix(" (deleted)").unwrap_or(&self.path);
        path.rsplit('/').next().unwrap_or(path)
    }

    /// Where the executable's thread-locals begin in a thread's copy, as what is added to the thread's pointer. They come
    /// first: on x86-64 right below the pointer, on AArch64 behind two words.
    pub fn thread_locals_from(&self) -> usize {
        if cfg!(target_arch = "x86_64") { 0_usize.wrapping_sub(self.thread_local_size) } else { 16 }
    }

    /// Whether it is the C library.
    pub fn is_c(&self) -> bool {
        self.name().starts_with("libc.so") || self.name().starts_with("libc-")
    }

    /// Whether an address is in its data.
    pub fn has_data_at(&self, address: usize) -> bool {
        self.data.iter().any(|(start, end)| (*start..*end).contains(&address))
    }

    /// A file that cannot be read, or has no symbols, leaves names out.
    fn read_symbols(&mut self) {
        let Some(file) = MappedFile::open(&self.path) else { return };
        let (mut statics, mut thread_locals) = (Vec::new(), Vec::new());
        for_each_symbol(&file, |symbol| {
            let place = symbol.address() as usize;
            let address = self.bias.wrapping_add(place);
            let (start, list) = match symbol.kind() {
                SymbolKind::Data if self.has_data_at(address) => (address, &mut statics),
                SymbolKind::Tls => (place, &mut thread_locals),
                _ => return,
            };
            if let Ok(name) = symbol.name() {
                list.push(Symbol { start, end: start.saturating_add(symbol.size() as usize), name: demangled(name) });
            }
        });
        sort(&mut statics);
        sort(&mut thread_locals);
        (self.statics, self.thread_locals) = (statics, thread_locals);
    }

    /// Adds the functions of std that threads begin with and that one of these places, which are sorted, is in.
    ///
    /// Of all others not even the name is looked at: a program has a hundred thousand functions, and their names are long.
    fn add_thread_starts(&self, places: &[usize], found: &mut Vec<Symbol>) {
        let is_code = |place: &usize| self.code.iter().any(|(start, end)| (*start..*end).contains(place));
        if !places.iter().any(is_code) {
            return;
        }
        let Some(file) = MappedFile::open(&self.path) else { return };
        for_each_symbol(&file, |symbol| {
            let start = self.bias.wrapping_add(symbol.address() as usize);
            let end = start.saturating_add(symbol.size() as usize);
            let first = places.partition_point(|place| *place < start);
            if symbol.kind() == SymbolKind::Text
                && places.get(first).is_some_and(|place| *place < end)
                && let Ok(name) = symbol.name()
                && name.contains(THREAD_START)
            {
                found.push(Symbol { start, end, name: demangled(name) });
            }
        });
    }
}

/// The functions of std that threads begin with, which are generic over what the thread calls, as far as one of these places is
/// in them.
pub fn thread_starts(modules: &[Module], mut places: Vec<usize>) -> Vec<Symbol> {
    places.sort_unstable();
    let mut found = Vec::new();
    for module in modules {
        module.add_thread_starts(&places, &mut found);
    }
    sort(&mut found);
    found
}

/// Calls `visit` with the symbols that have a place and a size.
fn for_each_symbol(file: &MappedFile, visit: impl FnMut(Elf<'_>)) {
    let Ok(object) = object::read::elf::ElfFile64::<Endianness>::parse(file.bytes()) else { return };
    let is_defined = |symbol: &Elf<'_>| symbol.size() != 0 && !symbol.is_undefined();
    if object.symbol_table().is_some() {
        object.symbols().filter(is_defined).for_each(visit);
    } else {
        object.dynamic_symbols().filter(is_defined).for_each(visit);
    }
}

/// By place; of several names for one place, one.
fn sort(symbols: &mut Vec<Symbol>) {
    symbols.sort_by_key(|symbol| symbol.start);
    symbols.dedup_by_key(|symbol| symbol.start);
}

/// In the name of the function of std that calls what a thread was started with.
pub const THREAD_START: &str = "__rust_begin_short_backtrace";

/// The symbol that holds a place.
pub fn find(symbols: &[Symbol], place: usize) -> Option<&Symbol> {
    let symbol = &symbols[symbols.partition_point(|symbol| symbol.start <= place).checked_sub(1)?];
    (place < symbol.end).then_some(symbol)
}

/// As people write it.
fn demangled(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    if name.contains(THREAD_START) { name } else { symbol_name::static_path(&name).to_owned() }
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
        let start =
            unsafe { libc::mmap(core::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
        (start != libc::MAP_FAILED).then_some(Self { start, size })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: it is mapped as long as `self` lives. Nobody shortens the file of a program that is running.
        unsafe { core::slice::from_raw_parts(self.start.cast(), self.size) }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this size, and what `bytes` gave out is gone.
        unsafe { libc::munmap(self.start, self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static HERE: std::sync::Mutex<u32> = std::sync::Mutex::new(7);

    #[test]
    fn a_static_of_ours_is_found_by_its_address() {
        *HERE.lock().expect("nobody panics") += 1;
        let address = (&raw const HERE).addr();
        let modules = loaded();
        let module = modules.iter().find(|module| module.has_data_at(address)).expect("some module has it");
        assert!(module.is_executable);
        let symbol = find(&module.statics, address).expect("tests have symbols");
        assert!(symbol.name.ends_with("scan::world::modules::tests::HERE"), "{}", symbol.name);
        assert!(modules.iter().any(Module::is_c) || !cfg!(target_env = "gnu"));
    }

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
