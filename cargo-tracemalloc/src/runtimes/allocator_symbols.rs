//! The mangled names of a global allocator's four functions, read from a library that has one.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;
use object::read::archive::ArchiveFile;
use object::{BinaryFormat, Object as _};
use serde::{Deserialize, Serialize};

/// Methods of `GlobalAlloc`.
const METHODS: [&str; 4] = ["alloc", "dealloc", "realloc", "alloc_zeroed"];

/// The symbols, in the order of [`METHODS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocatorSymbols([String; 4]);

impl AllocatorSymbols {
    /// Finds the symbols in a library with a `#[global_allocator]`. `None` if its objects are not
    /// 64-bit ELF.
    pub fn of_library(library: &Utf8Path) -> Result<Option<Self>> {
        let failed = || format!("failed to read the allocator's symbols from `{library}`");
        let data = fs::read(library)?;
        let archive = ArchiveFile::parse(&*data).with_context(failed)?;
        let mut objects = archive
            .members()
            .filter_map(|member| object::File::parse(member.ok()?.data(&*data).ok()?).ok());
        if !objects.any(|file| file.format() == BinaryFormat::Elf && file.is_64()) {
            return Ok(None);
        }
        let mut found: [Option<String>; 4] = Default::default();
        for symbol in archive.symbols().with_context(failed)?.into_iter().flatten() {
            let name = String::from_utf8_lossy(symbol.with_context(failed)?.name()).into_owned();
            if let Some(method) = METHODS.iter().position(|method| names(&name, method)) {
                found[method] = Some(name);
            }
        }
        let [Some(alloc), Some(dealloc), Some(realloc), Some(alloc_zeroed)] = found else {
            anyhow::bail!("{}, because some are missing", failed());
        };
        Ok(Some(Self([alloc, dealloc, realloc, alloc_zeroed])))
    }

    /// The symbols alone.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Each symbol with its second name, by which `interposed_crate.rs` calls the program's
    /// function.
    pub fn with_second_names(&self) -> impl Iterator<Item = (&str, String)> {
        self.iter()
            .zip(METHODS)
            .map(|(symbol, method)| (symbol, format!("tracemalloc_real_{method}")))
    }

    /// The environment for compiling `interposed_crate.rs`.
    pub fn build_env(&self) -> impl Iterator<Item = (String, &str)> {
        let name = |method: &str| format!("TRACEMALLOC_SYMBOL_{}", method.to_uppercase());
        METHODS.into_iter().map(name).zip(self.iter())
    }
}

/// Whether a symbol is `__rust_alloc`, either plain or mangled:
/// `_RNvCs0123_7___rustc12___rust_alloc`.
fn names(symbol: &str, method: &str) -> bool {
    let plain = format!("__rust_{method}");
    symbol == plain
        || symbol.starts_with("_R")
            && symbol.ends_with(&format!("7___rustc{}_{plain}", plain.len()))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn both_forms_of_a_symbol_are_known() {
        assert!(names("__rust_alloc", "alloc"));
        assert!(names("_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc", "alloc"));
        assert!(!names("_RNvCsfLfy6EI15iL_7___rustc19___rust_alloc_zeroed", "alloc"));
        assert!(!names("_RNvCsfLfy6EI15iL_7___rustc14___rust_dealloc", "alloc"));
    }
}
