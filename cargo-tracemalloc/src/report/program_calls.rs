//! Direct calls in a program's machine code: which functions it has, and where they are called.
//!
//! Hints rest on them. In unoptimised code, a call of a generic function names its types.

use std::collections::HashMap;

use camino::Utf8Path;
use object::{
    Architecture, Object as _, ObjectSection as _, ObjectSymbol as _, ReadCache, SectionKind,
    SymbolKind,
};
use tracemalloc::internal::function_name;

use crate::report::code_owner;

/// The functions of a program and their callers.
pub struct ProgramCalls {
    /// Functions by address.
    functions: Vec<Function>,
    /// For the address of a function, the addresses of direct calls.
    calls: HashMap<u64, Vec<u64>>,
    #[cfg(target_os = "linux")]
    lines: Option<addr2line::Loader>,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    address: u64,
    size: u64,
    /// Its mangled name.
    mangled: String,
}

/// A call of a function.
#[derive(Debug)]
pub struct Caller {
    /// The demangled name of the function that contains it.
    pub function: String,
    /// The address of the call.
    address: u64,
}

impl Function {
    /// Its demangled name.
    pub fn name(&self) -> String {
        format!("{:#}", rustc_demangle::demangle(&self.mangled))
    }
}

impl Caller {
    /// Whether the call stands in code of the standard library.
    pub fn is_of_std(&self) -> bool {
        function_name::crate_name(&self.function).is_some_and(code_owner::is_crate_of_std)
    }
}

impl ProgramCalls {
    /// Reads a program; `None` if it is no 64-bit ELF file for a processor that is known here.
    pub fn read(path: &Utf8Path) -> Option<Self> {
        let cache = ReadCache::new(std::fs::File::open(path).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let calls_in = match file.architecture() {
            Architecture::X86_64 => calls_of_x86_64,
            Architecture::Aarch64 => calls_of_aarch64,
            _ => return None,
        };
        let texts = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        let mut functions: Vec<Function> = texts
            .filter(|symbol| symbol.address() != 0)
            .filter_map(|symbol| {
                let mangled = symbol.name().ok()?.to_owned();
                Some(Function { address: symbol.address(), size: symbol.size(), mangled })
            })
            .collect();
        functions.sort_by_key(|function| function.address);
        let mut calls: HashMap<u64, Vec<u64>> =
            functions.iter().map(|function| (function.address, Vec::new())).collect();
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let code = section.data().ok()?;
            calls_in(code, section.address(), &mut |address, target| {
                if let Some(callers) = calls.get_mut(&target) {
                    callers.push(address);
                }
            });
        }
        Some(Self {
            functions,
            calls,
            #[cfg(target_os = "linux")]
            lines: addr2line::Loader::new(path).ok(),
        })
    }

    /// The functions whose mangled name has this text, with their demangled names.
    pub fn functions_with(&self, text: &str) -> impl Iterator<Item = (&Function, String)> {
        let found = self.functions.iter().filter(move |one| one.mangled.contains(text));
        found.map(|function| (function, function.name()))
    }

    /// The direct calls of a function.
    pub fn callers(&self, of: &Function) -> Vec<Caller> {
        let addresses = self.calls.get(&of.address).into_iter().flatten();
        addresses.filter_map(|address| self.caller(*address)).collect()
    }

    fn caller(&self, address: u64) -> Option<Caller> {
        let behind = self.functions.partition_point(|function| function.address <= address);
        let inside = |function: &&Function| address < function.address + function.size;
        let function = self.functions[..behind].last().filter(inside)?;
        Some(Caller { function: function.name(), address })
    }

    /// The absolute file and the line of a call.
    #[cfg(target_os = "linux")]
    pub fn place(&self, caller: &Caller) -> Option<(String, u32)> {
        let location = self.lines.as_ref()?.find_location(caller.address).ok()??;
        Some((location.file?.to_owned(), location.line?))
    }
}

#[cfg(not(target_os = "linux"))]
impl ProgramCalls {
    /// Places are known on Linux only.
    pub fn place(&self, _caller: &Caller) -> Option<(String, u32)> {
        None
    }
}

/// Calls `found` with the address and the target of each `call rel32`. Other bytes may look like
/// one, but hardly ever with the address of a function.
fn calls_of_x86_64(code: &[u8], address: u64, found: &mut dyn FnMut(u64, u64)) {
    const CALL: u8 = 0xE8;
    for (index, bytes) in code.windows(5).enumerate() {
        if let [CALL, offset @ ..] = bytes
            && let Ok(offset) = <[u8; 4]>::try_from(offset)
        {
            let at = address + index as u64;
            found(at, (at + 5).wrapping_add_signed(i64::from(i32::from_le_bytes(offset))));
        }
    }
}

/// Calls `found` with the address and the target of each `bl`.
fn calls_of_aarch64(code: &[u8], address: u64, found: &mut dyn FnMut(u64, u64)) {
    for (index, bytes) in code.chunks_exact(4).enumerate() {
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if word >> 26 == 0b10_0101 {
            // 26 bits with a sign, in units of four bytes.
            let offset = i64::from((word << 6).cast_signed() >> 6) * 4;
            let at = address + 4 * index as u64;
            found(at, at.wrapping_add_signed(offset));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn called(value: u16) -> u16 {
        std::hint::black_box(value)
    }

    #[test]
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn a_call_is_found_with_its_caller_and_line() {
        assert_eq!(called(7), 7);
        let line = line!() - 1;
        let program = std::env::current_exe().unwrap();
        let program = ProgramCalls::read(Utf8Path::from_path(&program).unwrap()).unwrap();
        let mut functions =
            program.functions_with("called").filter(|(_, name)| name.ends_with("::tests::called"));
        let (function, _) = functions.next().expect("this test calls it");
        let callers = program.callers(function);
        let [caller] = callers.as_slice() else { panic!("{callers:?}") };
        assert!(caller.function.contains("a_call_is_found_with_its"), "{}", caller.function);
        assert!(!caller.is_of_std());
        let (file, found) = program.place(caller).expect("tests have line tables");
        assert!(file.ends_with("program_calls.rs"), "{file}");
        assert_eq!(found, line);
    }

    #[test]
    fn offsets_have_a_sign() {
        let mut found = Vec::new();
        calls_of_x86_64(&[0x90, 0xE8, 0xFA, 0xFF, 0xFF, 0xFF], 100, &mut |at, target| {
            found.push((at, target));
        });
        calls_of_aarch64(&[0xFF, 0xFF, 0xFF, 0x97, 2, 0, 0, 0x94], 100, &mut |at, target| {
            found.push((at, target));
        });
        assert_eq!(found, [(101, 100), (100, 96), (104, 112)]);
    }
}
