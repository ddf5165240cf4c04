//! Compiles a test binary or a program with the harness and a tracing allocator. If the target has
//! an allocator, the tracing one goes in front of it.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::Output;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, absolute_utf8};
use fs_err as fs;
use tracemalloc_harness::{NOTE_EXTENSION, TargetNote};

use crate::util::file::this_program;
use crate::util::process::Process;
use crate::util::{private_env, terminal};
use crate::wrapper::call::{Call, rustc};
use crate::wrapper::config::Config;
use crate::wrapper::interposition;
use crate::wrapper::interposition::Interposition;
use crate::wrapper::rustc_call::RustcCall;

/// rustc's message if two crates of a binary bring an allocator.
pub const CONFLICT: &str = "conflicts with global allocator in";

/// The way out for an allocator that cannot be traced.
pub const BY_HAND: &str = "wrap it in `Tracemalloc::new(...)` to trace it";

/// The entry point of the harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// In place of libtest.
    Libtest,
    /// Before a `main` of the user.
    Main,
}

impl Entry {
    /// The entry point for this call; `None` if nothing is injected. `programs` tells whether
    /// binaries are traced besides tests.
    pub fn of(rustc_call: &RustcCall, programs: bool) -> Option<Self> {
        match rustc_call {
            // With a runner of its own, nothing calls libtest. The tests are traced as one program.
            RustcCall { is_test: true, .. } if rustc_call.has_own_entry_point() => Some(Self::Main),
            RustcCall { is_test: true, .. } => Some(Self::Libtest),
            RustcCall { is_bin: true, has_cfg_test, .. } if *has_cfg_test || programs => {
                Some(Self::Main)
            }
            _ => None,
        }
    }
}

/// Compiles, and returns rustc's exit code.
pub fn compile(
    config: &Config,
    call: &Call,
    rustc_call: &RustcCall,
    entry: Entry,
    args: &[OsString],
) -> Result<Option<i32>> {
    let Compiled { output, untraced } = attempt(config, call, rustc_call, entry, args)?;
    // Only the messages of the last attempt are printed. A closed stderr is no error.
    let _closed = std::io::stderr().write_all(&output.stderr);
    if output.status.success() {
        write_note(rustc_call, untraced)?;
    }
    Ok(output.status.code())
}

/// The result of the last attempt.
struct Compiled {
    output: Output,
    /// Why the target is untraced.
    untraced: Option<String>,
}

/// Compiles the target traced. If that is impossible, compiles it untraced and says why.
fn attempt(
    config: &Config,
    call: &Call,
    rustc_call: &RustcCall,
    entry: Entry,
    args: &[OsString],
) -> Result<Compiled> {
    let crate_name = rustc_call.crate_name.as_deref().unwrap_or_default();
    let without_tracer = || rustc(Some(config), call).args(args).stderr();
    let untraced = |reason: &str, output: Output| {
        terminal::warning(format_args!("target `{crate_name}` runs untraced: {reason}"));
        Ok(Compiled { output, untraced: Some(reason.to_owned()) })
    };
    let plain = |reason: &str| untraced(reason, without_tracer()?);
    if rustc_call.builds_std {
        return plain(
            "`-Zbuild-std` gives it another standard library than the tracing allocator's",
        );
    }
    if entry == Entry::Libtest && rustc_call.has_dependency_test {
        return plain("a dependency is named `test`, like the test harness");
    }
    let Some(runtime) = config.runtime(rustc_call) else {
        return plain("it is compiled for the host, and not for the requested target");
    };
    let inject: &dyn Fn(&[OsString], Option<&Utf8Path>) -> Process = match (entry, &runtime.program)
    {
        (Entry::Libtest, _) => &|args, allocator| {
            let mut rustc = rustc(Some(config), call);
            // The allocator's library contains the harness. Only one library can take libtest's
            // place.
            rustc
                .args(args)
                .arg("--extern")
                .arg(format!("test={}", allocator.unwrap_or(&runtime.untraced)));
            rustc
        },
        (Entry::Main, Some(program)) => &|args, allocator| {
            let mut rustc = rustc(Some(config), call);
            let allocator = allocator.map(|library| ("allocator", library));
            for (name, library) in allocator.into_iter().chain([("program", program.as_path())]) {
                rustc.arg("--extern").arg(format!("noprelude,force:tracemalloc_{name}={library}"));
            }
            rustc.args(args).arg("-Zunstable-options").env(private_env::RUSTC_BOOTSTRAP, Some("1"));
            rustc
        },
        (Entry::Main, None) => {
            return plain(
                "a program with a `main` or a test runner of its own is traced only on Linux with glibc",
            );
        }
    };
    let inject = |args: &[OsString], allocator: Option<&Utf8Path>| {
        let mut rustc = inject(args, allocator);
        rustc.arg("-L").arg(format!("dependency={}", runtime.search));
        rustc
    };
    let output = inject(args, Some(&runtime.traced)).stderr()?;
    let has_conflict = String::from_utf8_lossy(&output.stderr).contains(CONFLICT);
    if !output.status.success() && !has_conflict && rustc_call.is_program() {
        // A program without std does not link with the runtime, and has to be built all the same.
        let plain_output = without_tracer()?;
        if !plain_output.status.success() {
            return Ok(Compiled { output: plain_output, untraced: None });
        }
        let first = first_line(&output.stderr);
        let reason = format!("it does not link with the tracing allocator: {first}");
        return untraced(&reason, plain_output);
    }
    if output.status.success() || !has_conflict {
        return Ok(Compiled { output, untraced: None });
    }
    let why = match &runtime.interposed {
        None => "and the tracing allocator cannot go in front of it on this platform".to_owned(),
        Some(_) if rustc_call.has_lto => {
            "and is built with `lto`, so that the tracing allocator cannot go in front of it"
                .to_owned()
        }
        Some(interposed) => {
            let rustc = |args: &[OsString]| inject(args, Some(&interposed.library));
            match interposition::compile(rustc, rustc_call, args, &interposed.symbols)? {
                Interposition::Done(output) => return Ok(Compiled { output, untraced: None }),
                Interposition::Failed(why) => {
                    format!("and the tracing allocator cannot go in front of it: {why}")
                }
            }
        }
    };
    let untraced = Some(format!("it has a `#[global_allocator]` of its own, {why}; {BY_HAND}"));
    Ok(Compiled { output: inject(args, None).stderr()?, untraced })
}

/// The first line of rustc's messages.
pub fn first_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let error = text.lines().find(|line| line.starts_with("error"));
    error.unwrap_or("rustc failed").trim_start_matches("error: ").chars().take(200).collect()
}

fn write_note(rustc_call: &RustcCall, untraced: Option<String>) -> Result<()> {
    let path = rustc_call
        .output(NOTE_EXTENSION)
        .context("failed to find rustc's `--crate-name` and `--out-dir`")?;
    let source = rustc_call.source.as_deref().unwrap_or(Utf8Path::new(""));
    let note = TargetNote {
        package: env::var(private_env::PACKAGE_NAME).unwrap_or_default(),
        version: env::var(private_env::PACKAGE_VERSION).unwrap_or_default(),
        crate_name: rustc_call.crate_name.clone().unwrap_or_default(),
        is_program: rustc_call.is_program(),
        src_path: absolute_utf8(source)
            .with_context(|| format!("failed to resolve `{source}`"))?
            .into_string(),
        executable: String::new(),
        untraced,
        is_optimised: rustc_call.is_optimised,
        c_untraced: None,
        command: this_program()?.into_string(),
        doctests: None,
    };
    fs::write(path, tracemalloc_harness::to_bytes(&note))?;
    Ok(())
}

/// Adds a dependency on an environment variable to rustc's dep-info. Cargo cannot see the injected
/// libraries, but compiles a crate again if such a variable has changed. `value` is the variable's
/// value; `None` means unset.
pub fn depend_on(rustc_call: &RustcCall, variable: &str, value: Option<&str>) -> Result<()> {
    let Some(path) = rustc_call.output("d").filter(|path| path.exists()) else {
        return Ok(());
    };
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    let value = value.map(|value| format!("={value}")).unwrap_or_default();
    writeln!(file, "\n# env-dep:{variable}{value}")?;
    Ok(())
}
