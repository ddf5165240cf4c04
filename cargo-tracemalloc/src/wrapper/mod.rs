//! Wrapper mode: cargo calls the command in place of rustc, and the command calls rustc with the
//! options that tracing needs.
//!
//! Every crate of the workspace gets frame pointers, line tables and v0 symbols. Every test binary
//! gets the harness under the name of libtest. Other calls go to rustc unchanged: build scripts,
//! proc macros, calls that compile nothing, calls from other programs than cargo, and calls for
//! another target directory, because tests run cargo too.

mod call;
mod config;
mod executable;
mod flags;
mod interposition;
mod rustc_call;
pub mod rustdoc;
mod weak_symbols;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use fs_err as fs;

use crate::util::exit_code::of_child;
use crate::util::private_env;
use crate::wrapper::call::rustc;
use crate::wrapper::executable::Entry;
use crate::wrapper::rustc_call::RustcCall;

pub use call::Call;
pub use config::Config;

/// Calls rustc, and exits with its code.
pub fn run(call: &Call) -> Result<ExitCode> {
    let path = Path::new(&call.config);
    let json = fs::read(path).context(
        "failed to read the session of `cargo tracemalloc`; after `cargo clean`, run `cargo tracemalloc show-env` again",
    )?;
    let config: Config = serde_json::from_slice(&json)
        .with_context(|| format!("failed to parse `{}`", path.display()))?;

    if call.is_rustdoc {
        return rustdoc::run(&config, &call.args);
    }
    let rustc_call = RustcCall::parse(&call.args);
    if !rustc_call.compiles_below(&config.target_dir) {
        return Ok(of_child(rustc(&config, call).args(&call.args).status()?.code()));
    }
    let runtime = config.runtime(&rustc_call);
    let symbols = runtime
        .and_then(|runtime| runtime.interposed.as_ref())
        .map(|interposed| &interposed.symbols);
    let args = flags::with_tracing(&call.args, &rustc_call, symbols);
    let programs = env::var(private_env::PROGRAMS).ok();
    let code = match Entry::of(&rustc_call, programs.is_some()) {
        Some(entry) => executable::compile(&config, call, &rustc_call, entry, &args)?,
        None => rustc(&config, call).args(args).status()?.code(),
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
            // Tests may start binaries, which stay untraced.
            executable::depend_on(&rustc_call, private_env::PROGRAMS, programs.as_deref())?;
        }
    }
    if code != Some(0) {
        fs::write(&config.failure_mark, rustc_call.crate_name.as_deref().unwrap_or_default())?;
    }
    Ok(of_child(code))
}
