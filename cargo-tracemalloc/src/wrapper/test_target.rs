//! Compiles a test binary: with the harness that traces, or without tracing where the target has an allocator already.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::Output;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, absolute_utf8};
use fs_err as fs;
use tracemalloc_harness::{NOTE_EXTENSION, TargetNote};

use super::rustc_call::RustcCall;
use super::{Call, Config, flags, rustc};
use crate::inject::Runtime;
use crate::{private_env, term};

/// What rustc says when two crates of a binary bring an allocator.
const CONFLICT: &str = "conflicts with global allocator in";

/// Compiles, and returns rustc's exit code.
pub fn compile(config: &Config, call: &Call, rustc_call: &RustcCall) -> Result<Option<i32>> {
    let args = flags::with_tracing(&call.args, rustc_call);
    let (output, untraced) = attempt(config, call, rustc_call, &args)?;
    // Of several attempts only the last is shown. A closed stderr is no reason to fail.
    let _closed = std::io::stderr().write_all(&output.stderr);
    if output.status.success() {
        write_note(rustc_call, untraced)?;
        depend_on_runtime(config, rustc_call)?;
    }
    Ok(output.status.code())
}

/// Compiles, traced if that is possible; says why, if it is not.
fn attempt(
    config: &Config,
    call: &Call,
    rustc_call: &RustcCall,
    args: &[OsString],
) -> Result<(Output, Option<String>)> {
    let triple = rustc_call.target.as_ref().unwrap_or(&config.host);
    let crate_name = rustc_call.crate_name.as_deref().unwrap_or_default();
    let plain = |reason: &str| -> Result<_> {
        term::warning(format_args!("test target `{crate_name}` runs untraced: {reason}"));
        Ok((rustc(config, call).args(args).stderr()?, Some(reason.to_owned())))
    };
    if rustc_call.builds_std {
        return plain("with `-Zbuild-std` it has another standard library than what would be injected");
    }
    if rustc_call.has_dependency_test {
        return plain("a dependency is called `test`, which is the name of the test harness");
    }
    let Some(runtime) = config.runtimes.by_triple.get(triple) else {
        return plain("it is compiled for the host, and not for the target that was asked for");
    };
    let inject = |library: &Utf8Path| rustc(config, call).args(args).args(injection(runtime, library)).stderr();
    let output = inject(&runtime.traced)?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(CONFLICT) {
        let reason = "it has a `#[global_allocator]` of its own".to_owned();
        return Ok((inject(&runtime.untraced)?, Some(reason)));
    }
    Ok((output, None))
}

/// Puts a library in libtest's place.
fn injection(runtime: &Runtime, library: &Utf8Path) -> Vec<String> {
    let search = format!("dependency={}", runtime.search);
    vec!["--extern".to_owned(), format!("test={library}"), "-L".to_owned(), search]
}

fn write_note(rustc_call: &RustcCall, untraced: Option<String>) -> Result<()> {
    let path = rustc_call.output(NOTE_EXTENSION).context("failed to name the test binary's note")?;
    let source = rustc_call.source.as_deref().unwrap_or(Utf8Path::new(""));
    let note = TargetNote {
        package: env::var(private_env::PACKAGE_NAME).unwrap_or_default(),
        version: env::var(private_env::PACKAGE_VERSION).unwrap_or_default(),
        crate_name: rustc_call.crate_name.clone().unwrap_or_default(),
        src_path: absolute_utf8(source).with_context(|| format!("failed to resolve `{source}`"))?.into_string(),
        untraced,
    };
    fs::write(path, tracemalloc_harness::to_bytes(&note)?)?;
    Ok(())
}

/// Cargo does not see what we link. But it reads in rustc's dep-info which environment variables a crate depends on, and
/// compiles it again when one of them has changed.
fn depend_on_runtime(config: &Config, rustc_call: &RustcCall) -> Result<()> {
    let Some(path) = rustc_call.output("d").filter(|path| path.exists()) else {
        return Ok(());
    };
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    writeln!(file, "\n# env-dep:{}={}", private_env::RUNTIME, config.runtimes.identity)?;
    Ok(())
}
