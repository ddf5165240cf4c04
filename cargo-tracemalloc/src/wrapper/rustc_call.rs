//! A call of rustc, parsed from its arguments.

use std::env;
use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};

use crate::util::private_env;

/// The relevant parts of a command line of rustc.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RustcCall {
    /// `--crate-name`.
    pub crate_name: Option<String>,
    /// `-C extra-filename`, empty when not given.
    pub extra_filename: String,
    /// `--out-dir`.
    pub out_dir: Option<Utf8PathBuf>,
    /// `--target`.
    pub target: Option<String>,
    /// The source file.
    pub source: Option<Utf8PathBuf>,
    /// `--test`.
    pub is_test: bool,
    /// `--cfg test`. Cargo gives it instead of `--test` to a test with `harness = false`.
    pub has_cfg_test: bool,
    /// `--crate-type proc-macro`.
    pub is_proc_macro: bool,
    /// `--crate-type bin`, or no crate type.
    pub is_bin: bool,
    /// `--emit` names `link`, as in all calls that build something to run.
    pub links: bool,
    /// It prints information, and compiles nothing.
    pub asks: bool,
    /// The last `-C debuginfo` or `-g`.
    pub debuginfo: Option<String>,
    /// The last `-C opt-level` is not 0.
    pub is_optimised: bool,
    /// `-C strip` is given.
    pub strips: bool,
    /// A dependency has libtest's name, `test`.
    pub has_dependency_test: bool,
    /// Cargo has built its own standard library, with `-Zbuild-std`.
    pub builds_std: bool,
    /// Link-time optimisation is on, which leaves no symbols between crates.
    pub has_lto: bool,
}

impl RustcCall {
    /// Parses arguments without the program, including those in response files.
    pub fn parse(args: &[OsString]) -> Self {
        let mut words = Vec::new();
        for arg in args {
            let arg = arg.to_string_lossy();
            match arg.strip_prefix('@').and_then(|path| fs_err::read_to_string(path).ok()) {
                Some(lines) => words.extend(lines.lines().map(str::to_owned)),
                None => words.push(arg.into_owned()),
            }
        }
        let has_type = words.iter().any(|word| word.starts_with("--crate-type"));
        let mut call = Self { is_bin: !has_type, ..Self::default() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            call.option(&word, &mut words);
        }
        call
    }

    fn option(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word, None),
        };
        let mut value = || value.clone().or_else(|| rest.next()).unwrap_or_default();
        match name {
            "--crate-name" => self.crate_name = Some(value()),
            "--crate-type" => {
                let kinds = value();
                self.is_proc_macro |= kinds.split(',').any(|kind| kind == "proc-macro");
                self.is_bin |= kinds == "bin";
            }
            "--out-dir" => self.out_dir = Some(value().into()),
            "--target" => self.target = Some(value()),
            "--test" => self.is_test = true,
            "--emit" => self.links |= value().split(',').any(|kind| kind == "link"),
            "--cfg" => self.has_cfg_test |= value() == "test",
            "--extern" => {
                let value = value();
                let (options, name) = options_and_name(&value);
                self.has_dependency_test |= name == "test";
                // Cargo passes this only for a standard library that it has built.
                self.builds_std |=
                    name == "core" && options.split(',').any(|option| option == "noprelude");
            }
            "--print" | "-vV" | "-V" | "--version" | "--help" | "-h" => self.asks = true,
            "-C" | "--codegen" => self.codegen(&value()),
            "-O" => self.is_optimised = true,
            "-g" => self.debuginfo = Some("2".to_owned()),
            "-" => self.asks = true,
            // Options whose value is skipped, so that it is not mistaken for the source file.
            "-L"
            | "-l"
            | "-A"
            | "-W"
            | "-D"
            | "-F"
            | "-Z"
            | "-o"
            | "--check-cfg"
            | "--edition"
            | "--error-format"
            | "--json"
            | "--cap-lints"
            | "--color"
            | "--diagnostic-width"
            | "--sysroot"
            | "--remap-path-prefix"
            | "--explain"
            | "--allow"
            | "--warn"
            | "--deny"
            | "--forbid"
            | "--force-warn" => {
                value();
            }
            _ => match word.strip_prefix("-C") {
                Some(option) => self.codegen(option),
                None if !word.starts_with('-') => self.source = Some(word.into()),
                None => {}
            },
        }
    }

    fn codegen(&mut self, option: &str) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "extra-filename" => value.clone_into(&mut self.extra_filename),
            "debuginfo" => self.debuginfo = Some(value.to_owned()),
            "strip" => self.strips = true,
            "opt-level" => self.is_optimised = value != "0",
            "lto" => self.has_lto = !["off", "no", "n", "false", "thin-local"].contains(&value),
            "linker-plugin-lto" => self.has_lto = !["off", "no", "n", "false"].contains(&value),
            _ => {}
        }
    }

    /// Whether it compiles a program that is no test.
    pub fn is_program(&self) -> bool {
        self.is_bin && !self.is_test && !self.has_cfg_test
    }

    /// Whether cargo compiles a crate of the user's program inside `target_dir`.
    pub fn compiles_below(&self, target_dir: &Utf8Path) -> bool {
        let below = self.out_dir.as_ref().is_some_and(|dir| dir.starts_with(target_dir));
        below && self.compiles_for_cargo()
    }

    /// Whether cargo compiles a crate of some program with this call.
    pub fn compiles_for_cargo(&self) -> bool {
        let by_cargo = env::var(private_env::CRATE_NAME).ok() == self.crate_name;
        let compiles = self.crate_name.is_some() && !self.asks;
        by_cargo && compiles && !self.is_proc_macro && !self.is_build_script()
    }

    /// Whether a test target does without libtest: by `#![test_runner]` or `#![no_main]`.
    pub fn has_own_entry_point(&self) -> bool {
        let source = self.source.as_ref().and_then(|path| fs_err::read_to_string(path).ok());
        source.is_some_and(|source| has_own_entry_point(&source))
    }

    /// A package may be named `build-script-something`. Its library and tests are no build scripts.
    fn is_build_script(&self) -> bool {
        let named_so =
            self.crate_name.as_ref().is_some_and(|name| name.starts_with("build_script_"));
        named_so && self.is_bin && !self.is_test && env::var_os(private_env::BIN_NAME).is_none()
    }

    /// Whether there is debug information for lines, and with the full names of inlined functions.
    pub fn has_debuginfo(&self) -> bool {
        let too_little = ["0", "none", "line-directives-only", "line-tables-only"];
        self.debuginfo.as_deref().is_some_and(|level| !too_little.contains(&level))
    }

    /// An output file of this call: `<out dir>/<crate><extra>.<extension>`.
    pub fn output(&self, extension: &str) -> Option<Utf8PathBuf> {
        let name = format!("{}{}.{extension}", self.crate_name.as_deref()?, self.extra_filename);
        Some(self.out_dir.as_ref()?.join(name))
    }

    /// The library of this call: `<out dir>/lib<crate><extra>.rlib`.
    pub fn library(&self) -> Option<Utf8PathBuf> {
        let name = format!("lib{}{}.rlib", self.crate_name.as_deref()?, self.extra_filename);
        Some(self.out_dir.as_ref()?.join(name))
    }
}

/// Whether a crate's root file has `#![test_runner]` or `#![no_main]`, also in a `cfg_attr`.
fn has_own_entry_point(source: &str) -> bool {
    let attributes = source.lines().map(str::trim).filter(|line| line.starts_with("#!["));
    let mut words =
        attributes.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.any(|word| word == "test_runner" || word == "no_main")
}

/// The parts of an `--extern` value: `test`, `test=PATH`, `noprelude,nounused:test=PATH`.
fn options_and_name(value: &str) -> (&str, &str) {
    let name = value.split_once('=').map_or(value, |(name, _)| name);
    name.split_once(':').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{RustcCall, has_own_entry_point};

    fn parse(line: &str) -> RustcCall {
        RustcCall::parse(
            &shell_words::split(line).unwrap().into_iter().map(OsString::from).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_test_target_as_cargo_calls_it() {
        let call = parse(
            "--crate-name demo --edition=2024 src/lib.rs --error-format=json --emit=dep-info,link -C embed-bitcode=no \
             -C debuginfo=2 --test --cfg 'feature=\"a\"' --check-cfg 'cfg(docsrs,test)' -C metadata=1 \
             -C extra-filename=-0123 --out-dir '/x y/deps' -L dependency=/x/deps --extern serde=/x/libserde.rlib",
        );
        assert_eq!(call.crate_name.as_deref(), Some("demo"));
        assert_eq!(call.source.as_ref().unwrap(), "src/lib.rs");
        assert_eq!(call.output("d").unwrap(), "/x y/deps/demo-0123.d");
        assert!(
            call.is_test
                && call.links
                && call.has_debuginfo()
                && !call.strips
                && !call.asks
                && !call.has_dependency_test
        );
    }

    #[test]
    fn a_test_without_a_harness_is_recognised_by_its_cfg() {
        let call = parse("--crate-name plain tests/plain.rs --cfg test --cfg 'feature=\"a\"'");
        assert!(call.has_cfg_test && call.is_bin && !call.is_test);
        assert!(
            !parse("--crate-name demo src/main.rs --crate-type bin --cfg 'feature=\"test\"'")
                .has_cfg_test
        );
    }

    #[test]
    fn questions_are_recognised() {
        for line in ["-vV", "- --crate-name ___ --print=file-names", "--print cfg", "--version"] {
            assert!(parse(line).asks, "{line}");
        }
    }

    #[test]
    fn debuginfo_and_strip_in_all_spellings() {
        assert!(!parse("-Cdebuginfo=0").has_debuginfo());
        assert!(!parse("--codegen debuginfo=none").has_debuginfo());
        assert!(parse("-C debuginfo=0 -g").has_debuginfo());
        assert!(parse("--codegen=debuginfo=limited").has_debuginfo());
        assert!(!parse("--codegen=debuginfo=line-tables-only").has_debuginfo());
        assert!(parse("-Cstrip=debuginfo").strips);
    }

    #[test]
    fn a_dependency_called_test_is_seen() {
        for line in ["--extern test=/x.rlib", "--extern=test", "--extern noprelude:test=/x.rlib"] {
            assert!(parse(line).has_dependency_test, "{line}");
        }
        assert!(!parse("--extern testing=/test.rlib").has_dependency_test);
        assert!(!parse("--extern noprelude:test=/x.rlib --extern core=/x.rlib").builds_std);
        assert!(
            parse(
                "--extern noprelude,nounused:core=/c.rlib --extern noprelude,nounused:test=/t.rlib"
            )
            .builds_std
        );
    }

    #[test]
    fn only_a_binary_can_be_a_build_script() {
        assert!(
            parse("--crate-name build_script_build build.rs --crate-type bin").is_build_script()
        );
        assert!(
            !parse("--crate-name build_script_kit src/lib.rs --crate-type lib").is_build_script()
        );
        assert!(!parse("--crate-name build_script_kit src/lib.rs --test").is_build_script());
    }

    #[test]
    fn lto_in_all_spellings() {
        for line in [
            "-C lto",
            "-Clto=fat",
            "-C lto=thin",
            "-C linker-plugin-lto",
            "--codegen=linker-plugin-lto=/x.so",
        ] {
            assert!(parse(line).has_lto, "{line}");
        }
        for line in ["-C lto=off", "-C lto=no", "-C embed-bitcode=no", "-C lto -C lto=off"] {
            assert!(!parse(line).has_lto, "{line}");
        }
    }

    #[test]
    fn a_runner_of_its_own_is_seen() {
        assert!(has_own_entry_point("//! Docs.\n#![feature(a)]\n  #![test_runner(run)]\n"));
        assert!(has_own_entry_point("#![cfg_attr(test, no_main)]"));
        assert!(!has_own_entry_point("// #![no_main]\n#![feature(no_mains)]\nfn test_runner() {}"));
    }

    #[test]
    fn proc_macros_are_seen() {
        assert!(parse("--crate-type proc-macro").is_proc_macro);
        assert!(!parse("--crate-type=lib,cdylib").is_proc_macro);
    }
}
