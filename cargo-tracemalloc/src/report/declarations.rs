//! Places where statics are declared, from a binary's debug information.
//!
//! Injected code knows the names of statics only, because it reads no debug information. Without
//! debug information, and in release builds that have only line tables, the places stay unknown.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use camino::Utf8PathBuf;
use cargo_metadata::Metadata;
use gimli::AttributeValue;
use tracemalloc::internal::function_name;
use tracemalloc_harness::{HolderEntry, HolderKind, Prefix};

use crate::report::debug_info::{Reader, with_debug_info};
use crate::report::paths::path_prefixes;

/// The statics and thread-locals of one binary.
#[derive(Debug)]
pub struct Statics {
    binary: Utf8PathBuf,
    prefixes: Vec<Prefix>,
}

/// A file and a line.
type Place = (String, u32);

impl Statics {
    /// The statics of a binary. File names are shortened as in the workspace's reports.
    pub fn new(binary: Utf8PathBuf, metadata: &Metadata) -> Self {
        Self { binary, prefixes: path_prefixes(metadata) }
    }

    /// Adds to holders the places where they are declared. Reads the binary only if needed.
    pub fn declare<'a>(&self, holders: impl Iterator<Item = &'a mut HolderEntry>) {
        let is_declared = |holder: &HolderEntry| {
            matches!(holder.kind, HolderKind::Static | HolderKind::ThreadLocal)
        };
        let mut holders: Vec<&mut HolderEntry> =
            holders.filter(|holder| is_declared(holder)).collect();
        let wanted: HashSet<String> = holders.iter().map(|holder| holder.name.clone()).collect();
        if wanted.is_empty() {
            return;
        }
        // A binary that is missing or broken has no debug information.
        let places = places(self.binary.as_std_path(), &wanted).unwrap_or_default();
        for holder in &mut holders {
            if let Some(Some((file, line))) = places.get(&holder.name) {
                (holder.file, holder.line) =
                    (Some(Prefix::shorten(file, &self.prefixes)), Some(*line));
            }
        }
    }
}

/// The places of statics with these names; `None` for a name with several places.
fn places(
    binary: &Path,
    wanted: &HashSet<String>,
) -> anyhow::Result<HashMap<String, Option<Place>>> {
    with_debug_info(binary, |dwarf| {
        let mut places = HashMap::new();
        let mut units = dwarf.units();
        while let Some(header) = units.next()? {
            let unit = dwarf.unit(header)?;
            let mut entries = unit.entries_raw(None)?;
            while !entries.is_empty() {
                let Some(abbreviation) = entries.read_abbreviation()? else { continue };
                let attributes = abbreviation.attributes();
                // Local variables have no linkage name.
                if abbreviation.tag() != gimli::DW_TAG_variable
                    || !attributes
                        .iter()
                        .any(|attribute| attribute.name() == gimli::DW_AT_linkage_name)
                {
                    entries.skip_attributes(attributes)?;
                    continue;
                }
                let mut variable = Variable::default();
                for attribute in attributes {
                    let attribute = entries.read_attribute(*attribute)?;
                    match attribute.name() {
                        gimli::DW_AT_linkage_name => variable.name = Some(attribute.value()),
                        gimli::DW_AT_decl_file => variable.file = Some(attribute.value()),
                        gimli::DW_AT_decl_line => variable.line = attribute.udata_value(),
                        _ => {}
                    }
                }
                let Some(name) = variable.name(dwarf, &unit).filter(|name| wanted.contains(name))
                else {
                    continue;
                };
                let Some(place) = variable.place(dwarf, &unit) else { continue };
                let known = places.entry(name).or_insert_with(|| Some(place.clone()));
                if known.as_ref() != Some(&place) {
                    *known = None;
                }
            }
        }
        Ok(places)
    })
}

/// The attributes of a static.
#[derive(Default)]
struct Variable<'data> {
    name: Option<AttributeValue<Reader<'data>>>,
    file: Option<AttributeValue<Reader<'data>>>,
    line: Option<u64>,
}

impl<'data> Variable<'data> {
    /// Its name in the form of reports.
    fn name(
        &self,
        dwarf: &gimli::Dwarf<Reader<'data>>,
        unit: &gimli::Unit<Reader<'data>>,
    ) -> Option<String> {
        let mangled = dwarf.attr_string(unit, self.name?).ok()?;
        let name = format!("{:#}", rustc_demangle::demangle(mangled.to_string().ok()?));
        Some(function_name::pretty(function_name::static_path(&name)))
    }

    /// Its file, with the directory, and its line.
    fn place(
        &self,
        dwarf: &gimli::Dwarf<Reader<'data>>,
        unit: &gimli::Unit<Reader<'data>>,
    ) -> Option<Place> {
        let text = |value| {
            dwarf.attr_string(unit, value).ok().map(|text| text.to_string_lossy().into_owned())
        };
        let AttributeValue::FileIndex(index) = self.file? else { return None };
        let lines = unit.line_program.as_ref()?.header();
        let file = lines.file(index)?;
        let base = unit.comp_dir.map(|dir| dir.to_string_lossy().into_owned()).unwrap_or_default();
        let mut path = Utf8PathBuf::from(base);
        if let Some(directory) = file.directory(lines).and_then(text) {
            // An absolute directory replaces the one before.
            path.push(directory);
        }
        path.push(text(file.path_name())?);
        Some((path.into_string(), u32::try_from(self.line?).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test below looks for this static.
    static DECLARED: std::sync::Mutex<u32> = std::sync::Mutex::new(7);
    const LINE_OF_DECLARED: u32 = line!() - 1;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_static_is_found_with_its_line() {
        *DECLARED.lock().expect("no test panics here") += 1;
        let name = format!("{}::DECLARED", module_path!());
        let missing = "declared::nowhere::THIS".to_owned();
        let binary = std::env::current_exe().expect("this is a program");
        let places = places(&binary, &[name.clone(), missing].into()).expect("it can be read");
        let [(found, Some((file, line)))] = places.iter().collect::<Vec<_>>()[..] else {
            panic!("{places:?}")
        };
        assert_eq!((found.as_str(), *line), (name.as_str(), LINE_OF_DECLARED));
        assert!(
            Path::new(file).ends_with("cargo-tracemalloc/src/report/declarations.rs"),
            "{file}"
        );
    }
}
