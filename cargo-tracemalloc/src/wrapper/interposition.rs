//! Compiles a program that has an allocator, with the tracing one in front.
//!
//! First rustc makes the objects. Then this module changes the object with the allocator, and rustc
//! links them all.

use std::ffi::OsString;
use std::process::Output;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;

use crate::runtimes::AllocatorSymbols;
use crate::util::private_env::RUSTC_BOOTSTRAP;
use crate::util::process::Process;
use crate::wrapper::rustc_call::RustcCall;
use crate::wrapper::weak_symbols;

/// rustc's note that it has shortened a linker's command line.
const OMITTED: &str = "some arguments are omitted. use `--verbose` to show all linker arguments";

/// The result.
pub enum Interposition {
    /// Linked, or not compiled because of the user's code.
    Done(Output),
    /// Not linked, with the reason.
    Failed(String),
}

/// Compiles and links in two calls. `rustc` composes a call from arguments.
pub fn compile(
    rustc: impl Fn(&[OsString]) -> Process,
    rustc_call: &RustcCall,
    args: &[OsString],
    symbols: &AllocatorSymbols,
) -> Result<Interposition> {
    let compiled = rustc(args).arg("-Zno-link").env(RUSTC_BOOTSTRAP, Some("1")).stderr()?;
    if !compiled.status.success() {
        return Ok(Interposition::Done(compiled));
    }
    for path in objects(rustc_call)? {
        weak_symbols::object(&path, symbols)?;
    }
    let source = rustc_call
        .source
        .as_ref()
        .context("failed to find the source file among rustc's arguments")?;
    let linking = rustc_call
        .output("rlink")
        .context("failed to find rustc's `--crate-name` and `--out-dir`")?;
    let args: Vec<OsString> = args
        .iter()
        .map(|arg| if arg == source.as_str() { linking.clone().into() } else { arg.clone() })
        .collect();
    let linked = rustc(&args).arg("-Zlink-only").env(RUSTC_BOOTSTRAP, Some("1")).stderr()?;
    // rustc removes the objects after it has linked them.
    for path in objects(rustc_call)?.into_iter().chain([linking]) {
        fs::remove_file(path)?;
    }
    if linked.status.success() {
        // The first call printed the compiler's messages.
        return Ok(Interposition::Done(Output { stderr: compiled.stderr, ..linked }));
    }
    Ok(Interposition::Failed(reason(&String::from_utf8_lossy(&linked.stderr))))
}

/// The objects from the first call: `<out dir>/<crate><extra>.*.rcgu.o`.
fn objects(rustc_call: &RustcCall) -> Result<Vec<Utf8PathBuf>> {
    let example = rustc_call
        .output("rcgu.o")
        .context("failed to find rustc's `--crate-name` and `--out-dir`")?;
    let dir = example.parent().context("failed to find rustc's `--out-dir`")?;
    let start = example.file_name().unwrap_or_default().trim_end_matches("rcgu.o").to_owned();
    let mut objects = Vec::new();
    for entry in dir.read_dir_utf8().with_context(|| format!("failed to list `{dir}`"))? {
        let path = entry?.into_path();
        let name = path.file_name().unwrap_or_default();
        if name.starts_with(&start) && name.ends_with(".rcgu.o") {
            objects.push(path);
        }
    }
    objects.sort();
    Ok(objects)
}

/// The linker's message in one line.
fn reason(stderr: &str) -> String {
    let notes = stderr.lines().find_map(notes).unwrap_or_default();
    let lines =
        || notes.iter().flat_map(|note| note.lines()).filter(|line| !line.trim().is_empty());
    let culprit = |line: &&str| {
        line.contains("undefined") || line.contains("duplicate") || line.contains("multiple")
    };
    let line = lines()
        .find(culprit)
        .or_else(|| lines().next())
        .unwrap_or("the program cannot be linked that way");
    line.trim().chars().take(200).collect()
}

/// The notes of a linking error, in rustc's JSON for cargo. The first one is the linker's command
/// line, and is skipped.
fn notes(line: &str) -> Option<Vec<String>> {
    let error: Value = serde_json::from_str(line).ok()?;
    let notes = error["children"].as_array()?.iter().filter_map(|child| child["message"].as_str());
    let is_of_linker = error["message"].as_str()?.starts_with("linking with");
    is_of_linker.then(|| notes.skip(1).filter(|note| *note != OMITTED).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn the_linker_s_message_is_found_in_rustc_s() {
        let of = |said: &str| {
            let notes = ["the command", super::OMITTED, said]
                .map(|note| serde_json::json!({ "message": note }));
            let error = serde_json::json!({ "message": "linking with `cc` failed: exit status: 1", "children": notes });
            reason(&format!(
                "{}\n{error}\n",
                serde_json::json!({ "message": "unused import", "children": [] })
            ))
        };
        assert_eq!(
            of("\n  ld: no weak symbols here\n  collect2: ld returned 1"),
            "ld: no weak symbols here"
        );
        assert_eq!(
            of("ld: in function `f':\nx.c:1: undefined reference to `g'"),
            "x.c:1: undefined reference to `g'"
        );
        assert_eq!(reason("no JSON at all"), "the program cannot be linked that way");
    }
}
