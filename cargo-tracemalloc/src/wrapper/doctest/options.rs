//! The file that the process in place of rustdoc leaves for its compilers: the doctests of one
//! package.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use tracemalloc_harness::{DoctestNote, FRAGMENTS_DIR, TargetNote, TestEntry, Verdict, fragment};

use crate::util::file::{this_program, write_atomically};
use crate::util::private_env;
use crate::wrapper::config::Config;
use crate::wrapper::doctest::listing::{self, Doctest};
use crate::wrapper::rustc_call::RustcCall;

/// The doctests of a package, and how to compile them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Options {
    /// The package's name.
    pub package: String,
    /// The package's version.
    version: String,
    /// The library's crate name.
    crate_name: String,
    /// The absolute path of the library's root source file.
    src_path: String,
    /// The directory for the entries of these doctests.
    pub fragments: Utf8PathBuf,
    /// The doctests that the user has selected.
    pub doctests: Vec<Doctest>,
    /// The `RUSTC_BOOTSTRAP` of the user.
    pub bootstrap: Option<String>,
    /// Whether rustdoc compares the codes of errors only because it got unstable options.
    pub compares_codes: bool,
}

impl Options {
    /// Lists the doctests for a call of rustdoc. `None` if there are none, or if they cannot be
    /// traced.
    pub fn prepare(config: &Config, args: &[OsString]) -> Result<Option<Self>> {
        let rustc_call = RustcCall::parse(args);
        if config.runtime(&rustc_call).is_none_or(|runtime| runtime.program.is_none()) {
            return Ok(None);
        }
        let bootstrap = env::var(private_env::RUSTC_BOOTSTRAP).ok();
        let variable = |name: &str| env::var(name).unwrap_or_default();
        let source = rustc_call.source.unwrap_or_default();
        let fragments = format!("doctests-{}", std::process::id());
        let mut options = Self {
            package: variable(private_env::PACKAGE_NAME),
            version: variable(private_env::PACKAGE_VERSION),
            crate_name: rustc_call.crate_name.unwrap_or_default(),
            src_path: absolute_utf8(&source)
                .with_context(|| format!("failed to resolve `{source}`"))?
                .into_string(),
            fragments: config.session_dir().join(FRAGMENTS_DIR).join(fragments),
            doctests: Vec::new(),
            compares_codes: bootstrap.is_none() && !config.is_nightly,
            bootstrap,
        };
        let mut rustdoc = std::process::Command::new(&config.rustdoc);
        // Without this file, the compiler of the doctests fails, and none is compiled.
        options.prepare_rustdoc(&mut rustdoc, Utf8Path::new(""))?;
        options.doctests = listing::list(&mut rustdoc, args)?;
        Ok(Some(options).filter(|options| !options.doctests.is_empty()))
    }

    /// Makes rustdoc call this program as its compiler, which reads these options from a file.
    pub fn prepare_rustdoc(
        &self,
        rustdoc: &mut std::process::Command,
        file: &Utf8Path,
    ) -> Result<()> {
        rustdoc.args(["-Z", "unstable-options", "--test-builder-wrapper"]).arg(this_program()?);
        if self.compares_codes {
            rustdoc.env(private_env::RUSTC_BOOTSTRAP, "1");
        }
        rustdoc.env(private_env::DOCTESTS, file);
        Ok(())
    }

    /// Writes the options, and returns the path of the file.
    pub fn write(&self) -> Result<Utf8PathBuf> {
        fs::create_dir_all(&self.fragments)?;
        let path = self.fragments.join("options");
        write_atomically(&path, &serde_json::to_vec(self)?)?;
        Ok(path)
    }

    /// Reads the options that the environment names.
    pub fn from_env() -> Result<Self> {
        let path = env::var(private_env::DOCTESTS).unwrap_or_default();
        serde_json::from_slice(&fs::read(path)?).context("failed to parse the options for doctests")
    }

    /// Writes the entry of a doctest that is not judged.
    pub fn write_entry(&self, entry: &TestEntry) -> Result<()> {
        Ok(fragment::write(self.entry_path(&entry.name).as_std_path(), entry)?)
    }

    /// Writes the entry of a doctest that does not run, if the user has selected it.
    pub fn skip(&self, name: &str, reason: &str) -> Result<()> {
        if !self.doctests.iter().any(|doctest| doctest.name == name) {
            return Ok(());
        }
        self.write_entry(&TestEntry {
            verdict: Some(Verdict::Skipped),
            verdict_reason: Some(reason.to_owned()),
            ..TestEntry::new(name)
        })
    }

    /// Writes the entry of a doctest that runs untraced.
    pub fn untraced(&self, name: &str, reason: String) -> Result<()> {
        self.write_entry(&TestEntry { verdict_reason: Some(reason), ..TestEntry::new(name) })
    }

    /// The path of a doctest's entry.
    pub fn entry_path(&self, name: &str) -> Utf8PathBuf {
        let path = fragment::entry_path(self.fragments.as_std_path(), fragment::number_of(name));
        Utf8PathBuf::from_path_buf(path).unwrap_or_default()
    }

    /// The note for a binary with some of the doctests.
    pub fn note(&self, doctests: DoctestNote, untraced: Option<String>) -> Result<TargetNote> {
        let fragments = self.fragments.file_name().unwrap_or_default().to_owned();
        let restored = [(private_env::RUSTC_BOOTSTRAP.to_owned(), self.bootstrap.clone())];
        let restore_env = BTreeMap::from(restored);
        Ok(TargetNote {
            package: self.package.clone(),
            version: self.version.clone(),
            crate_name: self.crate_name.clone(),
            is_program: false,
            src_path: self.src_path.clone(),
            executable: String::new(),
            untraced,
            is_optimised: false,
            c_untraced: None,
            command: this_program()?.into_string(),
            doctests: Some(DoctestNote { fragments, restore_env, ..doctests }),
        })
    }
}
