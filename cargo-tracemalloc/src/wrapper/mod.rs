//! Wrapper mode: cargo calls the command in place of rustc, and the command calls rustc with the
//! options that tracing needs.
//!
//! Every crate of the workspace gets frame pointers, line tables and v0 symbols. Every test binary
//! gets the harness under the name of libtest. Other calls go to rustc unchanged: build scripts,
//! proc macros, calls that compile nothing, and calls from other programs than cargo. So do calls
//! for another target directory, because tests run cargo too. After `show-env`, a test that is
//! built in another target directory is an error.

mod call;
mod config;
mod doctest;
mod executable;
mod flags;
mod interposition;
mod rustc_call;
pub mod rustdoc;
mod weak_symbols;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use fs_err as fs;

use crate::util::exit_code::of_child;
use crate::util::private_env;
use crate::workspace::SessionDir;
use crate::wrapper::call::rustc;
use crate::wrapper::doctest::{DoctestCall, Options};
use crate::wrapper::executable::Entry;
use crate::wrapper::rustc_call::RustcCall;

pub use call::{Call, RUSTDOC_NAME};
pub use config::Config;

/// Calls rustc, and exits with its code.
pub fn run(call: &Call) -> Result<ExitCode> {
    let path = Path::new(&call.config);
    let rustc_call = RustcCall::parse(&call.args);
    let Some(config) = Config::read(path)? else {
        if call.is_rustdoc || rustc_call.compiles_for_cargo() {
            return missing_session(path);
        }
        // Cargo remembers the answers of rustc, and would remember a failure for ever.
        return Ok(of_child(rustc(None, call).args(&call.args).status()?.code()));
    };

    if call.is_rustdoc {
        return rustdoc::run(&config, &call.args);
    }
    if env::var_os(private_env::DOCTESTS).is_some()
        && let Some(doctest) = DoctestCall::parse(&call.args)?
    {
        return doctest::compile(&config, call, &doctest, &Options::from_env()?);
    }
    if !rustc_call.compiles_below(&config.target_dir) {
        check_target_dir(path, &config, &rustc_call)?;
        return Ok(of_child(rustc(Some(&config), call).args(&call.args).status()?.code()));
    }
    let runtime = config.runtime(&rustc_call);
    let symbols = runtime
        .and_then(|runtime| runtime.interposed.as_ref())
        .map(|interposed| &interposed.symbols);
    let args = flags::with_tracing(&call.args, &rustc_call, symbols);
    let programs = env::var(private_env::PROGRAMS).ok();
    let code = match Entry::of(&rustc_call, programs.is_some()) {
        Some(entry) => executable::compile(&config, call, &rustc_call, entry, &args)?,
        None => rustc(Some(&config), call).args(args).status()?.code(),
    };
    if code == Some(0) {
        if let Some((library, symbols)) =
            rustc_call.library().filter(|path| path.exists()).zip(symbols)
        {
            weak_symbols::library(&library, symbols)?;
        }
        if rustc_call.is_test || rustc_call.has_cfg_test {
            executable::depend_on(
                &rustc_call,
                private_env::RUNTIME,
                Some(&config.runtimes.identity),
            )?;
        } else if rustc_call.is_bin {
            // Tests may start programs. They are traced on request.
            executable::depend_on(&rustc_call, private_env::PROGRAMS, programs.as_deref())?;
        }
    }
    if code != Some(0) {
        fs::write(&config.failure_mark, rustc_call.crate_name.as_deref().unwrap_or_default())?;
    }
    Ok(of_child(code))
}

/// Fails in the environment of `show-env` if cargo builds a test in another target directory. There
/// it would run untraced, and dependencies may have been built without frame pointers.
fn check_target_dir(path: &Path, config: &Config, rustc_call: &RustcCall) -> Result<()> {
    let builds_test = rustc_call.is_test && rustc_call.links && rustc_call.compiles_for_cargo();
    let Some(out_dir) = rustc_call.out_dir.as_ref().filter(|_| builds_test) else { return Ok(()) };
    if SessionDir::has_command(path) {
        // A test or a build script runs a cargo of its own.
        return Ok(());
    }
    bail!(
        "this test would run untraced, because cargo builds it in `{out_dir}`, and the environment of \
         `cargo tracemalloc show-env` is for `{}`; leave out `--target-dir`, and keep the variable {} that `show-env` \
         prints",
        config.target_dir,
        private_env::TARGET_DIR
    );
}

/// Fails, because the session has been deleted. The command that waits for its tests says so at its
/// end. After `show-env` there is no such command.
fn missing_session(path: &Path) -> Result<ExitCode> {
    if SessionDir::has_command(path) {
        return Ok(ExitCode::FAILURE);
    }
    bail!(
        "the session in `{}` is missing; run `cargo tracemalloc show-env` again, as after each `cargo clean`",
        path.parent().unwrap_or(path).display()
    );
}
