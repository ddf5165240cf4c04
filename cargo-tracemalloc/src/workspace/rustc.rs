//! The compiler that cargo will use, with its version.

use std::env;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use tracemalloc_harness::sources;

use crate::util::process::Process;

/// The oldest version that compiles the runtime. Only Linux does without `backtrace`.
const MINIMUM: &str = if cfg!(target_os = "linux") { sources::RUST_VERSION } else { "1.88" };

/// A compiler.
#[derive(Debug)]
pub struct Rustc {
    /// The path of the executable itself, not of rustup's proxy.
    pub path: Utf8PathBuf,
    /// Cargo of the same toolchain.
    pub cargo: Utf8PathBuf,
    /// Rustdoc of the same toolchain.
    pub rustdoc: Utf8PathBuf,
    /// `1.95.0`.
    pub release: String,
    /// `x86_64-unknown-linux-gnu`.
    pub host: String,
    /// The output of `rustc -vV`.
    pub verbose_version: String,
}

impl Rustc {
    /// Finds the compiler that cargo uses in `dir`. A `rust-toolchain.toml` there may select it, or
    /// cargo's configuration, in `configured`.
    pub fn find(dir: &Utf8Path, configured: Option<&Utf8Path>) -> Result<Self> {
        let name = configured.unwrap_or(Utf8Path::new("rustc"));
        let sysroot =
            Process::new(name).args(["--print", "sysroot"]).dir(dir).read().with_context(|| {
                format!(
                    "failed to find the Rust compiler `{name}`; install Rust, or add it to PATH"
                )
            })?;
        let bin = Utf8Path::new(sysroot.trim()).join("bin");
        let executable = |name: &str| {
            Some(bin.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
                .filter(|path| path.is_file())
        };
        let path = match configured {
            Some(path) => path.to_owned(),
            None => executable("rustc").unwrap_or_else(|| name.to_owned()),
        };
        let cargo = executable("cargo")
            .or_else(|| env::var("CARGO").ok().map(Utf8PathBuf::from))
            .unwrap_or_else(|| Utf8PathBuf::from("cargo"));
        let rustdoc = executable("rustdoc").unwrap_or_else(|| Utf8PathBuf::from("rustdoc"));
        let verbose_version = Process::new(&path).arg("-vV").dir(dir).read()?;
        let field = |name: &str| {
            let line = verbose_version.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
                .with_context(|| format!("failed to find `{name}` in the output of `{path} -vV`"))
        };
        let (release, host) = (field("release:")?, field("host:")?);
        check(&release)?;
        Ok(Self { path, cargo, rustdoc, release, host, verbose_version })
    }

    /// Whether it accepts unstable options.
    pub fn is_nightly(&self) -> bool {
        self.release.contains("nightly") || self.release.contains("dev")
    }

    /// The first line of its version: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub fn version(&self) -> &str {
        self.verbose_version.lines().next().unwrap_or_default()
    }
}

fn check(release: &str) -> Result<()> {
    if version_of(release) < version_of(MINIMUM) {
        bail!(
            "rustc {release} is too old, because `cargo tracemalloc` compiles tests with Rust \
             {MINIMUM} or later; try `rustup update`, or `cargo +stable tracemalloc`"
        );
    }
    Ok(())
}

/// The major and minor version of `1.95.0-nightly`.
fn version_of(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{MINIMUM, check};

    #[test]
    fn versions_compare_as_numbers() {
        assert!(check("1.95.0").is_ok());
        assert!(check("1.100.0-nightly").is_ok());
        assert!(check("2.0.0").is_ok());
        let error = check("1.84.1").unwrap_err().to_string();
        assert!(error.contains("1.84.1") && error.contains(MINIMUM), "{error}");
    }
}
