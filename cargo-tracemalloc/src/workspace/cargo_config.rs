//! The part of cargo's configuration that the command needs.
//!
//! The crate cargo-config2 reads files and variables. This module adds `--config` from the command
//! line.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use toml::Value;

use crate::util::terminal::Color;

/// The part of cargo's configuration that the command needs.
#[derive(Debug)]
pub struct CargoConfig {
    /// `build.rustc`.
    pub rustc: Option<Utf8PathBuf>,
    /// `build.rustdoc`.
    pub rustdoc: Option<Utf8PathBuf>,
    /// `build.rustc-wrapper`.
    pub rustc_wrapper: Option<Utf8PathBuf>,
    /// `build.rustc-workspace-wrapper`.
    pub rustc_workspace_wrapper: Option<Utf8PathBuf>,
    /// `build.target`.
    pub targets: Vec<String>,
    /// `env`.
    pub env: BTreeMap<String, String>,
}

impl CargoConfig {
    /// Reads it for a cargo call in the current directory with these values of `--config`.
    pub fn read(options: &[String]) -> Result<Self> {
        let config =
            cargo_config2::Config::load().context("failed to read cargo's configuration")?;
        let dir = env::current_dir().context("failed to find the current directory")?;
        let dir = utf8(dir)?;
        let tool = |variable: &str, key: &str, configured: Option<std::path::PathBuf>| {
            // The variables without `CARGO_BUILD_` in their names win over the command line.
            let from_command_line =
                given(options, key, &dir).filter(|_| env::var_os(variable).is_none());
            match from_command_line {
                Some((Value::String(program), base)) => Ok(Some(resolve(&program, &base))),
                _ => configured.map(utf8).transpose(),
            }
        };
        let targets = match given(options, "target", &dir) {
            Some((Value::String(target), _)) => vec![target],
            Some((Value::Array(targets), _)) => {
                targets.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => config
                .build
                .target
                .unwrap_or_default()
                .iter()
                .map(|target| target.triple().to_owned())
                .collect(),
        };
        let env = config.env.into_iter();
        let env = env.filter_map(|(name, value)| Some((name, value.value.into_string().ok()?)));
        Ok(Self {
            env: env.collect(),
            rustc: tool("RUSTC", "rustc", config.build.rustc)?,
            rustdoc: tool("RUSTDOC", "rustdoc", config.build.rustdoc)?,
            rustc_wrapper: tool("RUSTC_WRAPPER", "rustc-wrapper", config.build.rustc_wrapper)?
                .filter(|path| path != ""),
            rustc_workspace_wrapper: tool(
                "RUSTC_WORKSPACE_WRAPPER",
                "rustc-workspace-wrapper",
                config.build.rustc_workspace_wrapper,
            )?
            .filter(|path| path != ""),
            targets,
        })
    }
}

/// `term.color` of cargo's configuration, or `CARGO_TERM_COLOR`. Cargo reports wrong values.
pub fn color() -> Option<Color> {
    Some(match cargo_config2::Config::load().ok()?.term.color? {
        cargo_config2::Color::Auto => Color::Auto,
        cargo_config2::Color::Always => Color::Always,
        cargo_config2::Color::Never => Color::Never,
    })
}

/// `build.KEY` of the last option that sets it, and the directory for relative paths in it. Cargo
/// reports values that are no configuration.
fn given(options: &[String], key: &str, dir: &Utf8Path) -> Option<(Value, Utf8PathBuf)> {
    options.iter().rev().find_map(|option| {
        let path = dir.join(option);
        let (text, base) = match fs::read_to_string(&path) {
            // Paths are relative to the parent of the file's directory, like for
            // `.cargo/config.toml`.
            Ok(text) => (text, path.parent()?.parent()?.to_owned()),
            Err(_) => (option.clone(), dir.to_owned()),
        };
        let table: toml::Table = text.parse().ok()?;
        Some((table.get("build")?.get(key)?.clone(), base))
    })
}

/// A program's path. A plain name is looked up in `PATH` later.
fn resolve(program: &str, base: &Utf8Path) -> Utf8PathBuf {
    if program.contains(['/', '\\']) { base.join(program) } else { Utf8PathBuf::from(program) }
}

fn utf8(path: std::path::PathBuf) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path).map_err(|path| {
        anyhow!("the path `{}` in cargo's configuration is not UTF-8", path.display())
    })
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use toml::Value;

    use super::{given, resolve};

    #[test]
    fn the_last_option_that_says_it_holds() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        fs_err::write(dir.join("other.toml"), "[build]\nrustc-wrapper = './b'\n").unwrap();
        let wrapper = |options: &[&str]| {
            let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
            given(&options, "rustc-wrapper", dir)
        };
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(wrapper(&[]), None);
        assert_eq!(
            wrapper(&["build.rustc-wrapper='a'", "net.offline=true"]),
            Some((text("a"), dir.to_owned()))
        );
        let from_file = Some((text("./b"), dir.parent().unwrap().to_owned()));
        assert_eq!(wrapper(&["build.rustc-wrapper='a'", "other.toml"]), from_file);
        assert_eq!(wrapper(&["no configuration at all"]), None);
        assert_eq!(resolve("sccache", dir), "sccache");
        assert_eq!(resolve("./b", dir), dir.join("./b"));
    }
}
