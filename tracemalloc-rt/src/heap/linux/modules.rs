//! The loaded executable and libraries, with the places and names of their data.
//!
//! The list comes from the kernel. The dynamic linker has one too, but another thread may hold its
//! lock.

use crate::heap::linux::process::File;
use crate::heap::linux::range::Range;
use crate::names::provider::{self, Named, Statics};
use crate::os::proc_dir;
use crate::util::sort::sort_by;

/// An executable or a library.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its file.
    pub path: String,
    /// The difference between its addresses in memory and in the file.
    pub bias: usize,
    /// Its writable ranges.
    pub data: Vec<Range>,
    /// Its executable ranges.
    pub code: Vec<Range>,
    /// Bytes of its thread-local storage per thread, rounded up to its alignment.
    pub thread_local_size: usize,
    /// Whether it is the executable.
    pub is_executable: bool,
    /// Statics, by address.
    pub statics: Vec<Named>,
    /// Thread-locals, by offset in a thread's copy.
    pub thread_locals: Vec<Named>,
    /// Functions of std that threads begin with, by address.
    pub thread_starts: Vec<Named>,
}

/// All modules, without the names in their files.
pub fn loaded() -> Vec<Module> {
    let Some(maps) = File::open(c"/proc/self/maps") else { return Vec::new() };
    let maps = maps.read_to_end();
    let Some(memory) = File::open(c"/proc/self/mem") else { return Vec::new() };
    let mut executable = vec![0; libc::PATH_MAX as usize];
    let length = proc_dir::read_link(c"/proc/self/exe", &mut executable).unwrap_or(0);
    executable.truncate(length);
    let mut modules = Vec::new();
    for line in String::from_utf8_lossy(&maps).lines() {
        // `7f00-7f10 r--p 00000000 fe:01 42      /usr/lib/libc.so.6`: a module's headers are at the
        // beginning of its file.
        let mut words = line.splitn(6, ' ');
        let (Some(bounds), Some(access), Some("00000000"), Some(_), Some(_), Some(path)) =
            (words.next(), words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let path = path.trim_start();
        let start =
            bounds.split_once('-').and_then(|(start, _)| usize::from_str_radix(start, 16).ok());
        // Modules are mapped privately. Reading a hole of a shared mapping would fill it.
        let is_private = access.starts_with('r') && access.ends_with('p');
        let start = start.filter(|_| is_private && path.starts_with('/'));
        if let Some(mut module) = start.and_then(|start| Module::at(start, path, &memory)) {
            module.is_executable = executable == path.as_bytes();
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
        if memory.words_at(&mut header, start) < header.len()
            || header[0] & IGNORED_ABI != MAGIC & IGNORED_ABI
        {
            return None;
        }
        let is_fixed = header[2] & 0xFFFF == FIXED;
        let (table, count) = (header[4], header[7] & 0xFFFF);
        // Words: type and flags, offset, address, physical address, size in the file, size in
        // memory, alignment.
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
            let loaded =
                segments.iter().filter(|segment| kind(segment) == LOAD && segment[0] & flag != 0);
            loaded
                .map(|segment| {
                    (bias.wrapping_add(segment[2]), bias.wrapping_add(segment[2] + segment[5]))
                })
                .collect()
        };
        let of_threads = segments.iter().find(|segment| kind(segment) == THREAD_LOCAL);
        Some(Self {
            path: path.to_owned(),
            bias,
            data: ranges(WRITE),
            code: ranges(EXECUTE),
            thread_local_size: of_threads
                .map_or(0, |segment| segment[5].next_multiple_of(segment[6].max(1))),
            is_executable: false,
            statics: Vec::new(),
            thread_locals: Vec::new(),
            thread_starts: Vec::new(),
        })
    }

    /// The name of its file.
    pub fn name(&self) -> &str {
        let path = self.path.strip_suffix(" (deleted)").unwrap_or(&self.path);
        path.rsplit('/').next().unwrap_or(path)
    }

    /// The offset of the executable's thread-locals from a thread's pointer. They come first: on
    /// x86-64 directly below the pointer, on AArch64 behind two words.
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

    /// Adds the names in its file.
    fn take(&mut self, named: Statics) {
        let loaded = |named: Vec<Named>, bias: usize| {
            let at = move |place: usize| bias.wrapping_add(place);
            named.into_iter().map(move |named| Named {
                start: at(named.start),
                end: at(named.end),
                ..named
            })
        };
        self.statics = loaded(named.statics, self.bias)
            .filter(|named| self.has_data_at(named.start))
            .collect();
        self.thread_locals = named.thread_locals;
        self.thread_starts = loaded(named.thread_starts, self.bias).collect();
    }
}

/// Adds the names in the modules' files. Functions that threads begin with are only needed if they
/// contain one of these `places`.
pub fn name(modules: &mut [Module], mut places: Vec<usize>) {
    sort_by(&mut places, usize::cmp);
    let named = match provider::provider() {
        Some(provider) => {
            let files: Vec<&str> = modules.iter().map(|module| module.path.as_str()).collect();
            provider::reply_or_missing(provider.statics(&files))
        }
        None => modules.iter().map(|module| read(module, &places)).collect(),
    };
    for (module, named) in modules.iter_mut().zip(named) {
        module.take(named);
    }
}

#[cfg(feature = "symbolize")]
fn read(module: &Module, places: &[usize]) -> Statics {
    let is_code =
        |place: &&usize| module.code.iter().any(|(start, end)| (*start..*end).contains(*place));
    let places: Vec<usize> =
        places.iter().filter(is_code).map(|place| place.wrapping_sub(module.bias)).collect();
    crate::heap::symbols::read(&module.path, Some(&places))
}

/// Without `symbolize` and without a provider, no names are known.
#[cfg(not(feature = "symbolize"))]
fn read(_module: &Module, _places: &[usize]) -> Statics {
    Statics::default()
}

/// The name of the symbol that contains a place.
pub fn find(named: &[Named], place: usize) -> Option<&Named> {
    let named = &named[named.partition_point(|named| named.start <= place).checked_sub(1)?];
    (place < named.end).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    static HERE: std::sync::Mutex<u32> = std::sync::Mutex::new(7);

    #[test]
    fn a_static_of_ours_is_found_by_its_address() {
        *HERE.lock().expect("no test panics with it") += 1;
        let address = (&raw const HERE).addr();
        let mut modules = loaded();
        name(&mut modules, Vec::new());
        let module =
            modules.iter().find(|module| module.has_data_at(address)).expect("some module has it");
        assert!(module.is_executable);
        let symbol = find(&module.statics, address).expect("tests have symbols");
        assert!(symbol.name.ends_with("heap::linux::modules::tests::HERE"), "{}", symbol.name);
        assert!(modules.iter().any(Module::is_c) || !cfg!(target_env = "gnu"));
    }
}
