//! Compiles doctests in place of the rustc that rustdoc calls.
//!
//! A doctest gets the harness and the allocator by `extern crate` at the end of its code. So the
//! user's code needs no unstable option, and compiles and fails as without tracing. Where it does
//! not link with them, it is compiled as rustdoc wanted, and runs untraced.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::{ExitCode, Output};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;
use tracemalloc_harness::{DoctestNote, NOTE_EXTENSION};

use crate::runtimes::Runtime;
use crate::util::exit_code::of_child;
use crate::util::private_env::RUSTC_BOOTSTRAP;
use crate::util::process::Process;
use crate::wrapper::call::{Call, rustc};
use crate::wrapper::config::Config;
use crate::wrapper::doctest::call::{DoctestCall, Subject};
use crate::wrapper::doctest::generated_source;
use crate::wrapper::doctest::options::Options;
use crate::wrapper::executable::{BY_HAND, CONFLICT, first_line};
use crate::wrapper::flags;
use crate::wrapper::rustc_call::RustcCall;

/// The names of the injected crates in a doctest.
const ALLOCATOR: &str = "tracemalloc_allocator";
const PROGRAM: &str = "tracemalloc_program";

/// Compiles, and exits with rustc's code.
pub fn compile(
    config: &Config,
    call: &Call,
    doctest: &DoctestCall,
    options: &Options,
) -> Result<ExitCode> {
    let rustc_call = RustcCall::parse(&doctest.args);
    let args = flags::with_tracing(&doctest.args, &rustc_call, None);
    let compiler = Compiler { config, call, args, rustc_call, options };
    let code = match &doctest.subject {
        Subject::Bundle => compiler.of_user().args(&compiler.args).status()?.code(),
        Subject::Runner { source, bundle, binary } => compiler.runner(source, bundle, binary)?,
        Subject::Single { path, line, binary } => {
            let mut code = String::new();
            io::stdin().read_to_string(&mut code).context("failed to read a doctest from stdin")?;
            compiler.single(&code, path, *line, binary.as_deref())?
        }
    };
    Ok(of_child(code))
}

/// A call of rustc with the options of tracing.
struct Compiler<'a> {
    config: &'a Config,
    call: &'a Call,
    args: Vec<OsString>,
    rustc_call: RustcCall,
    options: &'a Options,
}

/// The result of compiling traced, or untraced for a reason.
struct Compiled {
    output: Output,
    untraced: Option<String>,
    /// Whether the harness is linked.
    has_harness: bool,
}

impl Compiled {
    /// The result of compiling without the harness, after this one has failed.
    fn untraced_instead(self, output: Output) -> Self {
        let first = first_line(&self.output.stderr);
        let untraced = Some(format!("it does not link with the tracing allocator: {first}"));
        Self { output, untraced, has_harness: false }
    }
}

impl Compiler<'_> {
    /// rustc for the user's code, with the user's environment.
    fn of_user(&self) -> Process {
        let mut rustc = rustc(None, self.call);
        rustc.env(RUSTC_BOOTSTRAP, self.options.bootstrap.as_ref());
        rustc
    }

    fn runtime(&self) -> Option<(&Runtime, &Utf8Path)> {
        let runtime = self.config.runtime(&self.rustc_call)?;
        Some((runtime, runtime.program.as_deref()?))
    }

    /// Compiles the binary of merged doctests. Its source is rustdoc's alone.
    fn runner(
        &self,
        source: &Utf8Path,
        bundle: &Utf8Path,
        binary: &Utf8Path,
    ) -> Result<Option<i32>> {
        let merged = generated_source::merged(&fs::read_to_string(source)?);
        let mut compiled = self.traced(|libraries, search| {
            let mut rustc = rustc(None, self.call);
            for (name, library) in libraries {
                rustc.arg("--extern").arg(format!("noprelude,force:{name}={library}"));
            }
            rustc.args(&self.args).arg("-Zunstable-options").env(RUSTC_BOOTSTRAP, Some("1"));
            rustc.args(search).stderr()
        })?;
        if !compiled.output.status.success() {
            let mut rustc = rustc(None, self.call);
            let output = rustc.args(&self.args).env(RUSTC_BOOTSTRAP, Some("1")).stderr()?;
            compiled = compiled.untraced_instead(output);
        }
        if compiled.output.status.success() {
            for doctest in merged.iter().filter(|doctest| doctest.no_run) {
                self.options.skip(&doctest.name, ONLY_COMPILED)?;
            }
            let text = fs::read_to_string(bundle)?;
            let modules = generated_source::modules(&text).into_iter().zip(&merged);
            let parts = modules.filter_map(|((first, lines), doctest)| {
                let (file, fence) = generated_source::place(&doctest.name)?;
                Some(generated_source::parts(lines.into_iter(), first, file, fence))
            });
            let note = DoctestNote {
                parts: parts.flatten().collect(),
                names: merged.iter().map(|doctest| doctest.name.clone()).collect(),
                is_merged: true,
                generated: bundle.file_name().unwrap_or_default().to_owned(),
                ..DoctestNote::default()
            };
            self.write_note(binary, note, &compiled)?;
        }
        self.end(&compiled.output)
    }

    /// Compiles one doctest.
    fn single(
        &self,
        code: &str,
        path: &str,
        line: i64,
        binary: Option<&Utf8Path>,
    ) -> Result<Option<i32>> {
        let names = self.options.doctests.iter().map(|doctest| doctest.name.as_str());
        let name = generated_source::name_of(code, path, line, names);
        let plain = || self.of_user().args(&self.args).stderr_with_stdin(code.as_bytes());
        let (Some(name), Some(binary)) = (name, binary) else {
            if let Some(name) = name {
                self.options.skip(name, ONLY_COMPILED)?;
            }
            return self.end(&plain()?);
        };
        let mut compiled = self.traced(|libraries, search| {
            let mut rustc = self.of_user();
            let mut code = code.to_owned();
            for (name, library) in libraries {
                rustc.arg("--extern").arg(format!("{name}={library}"));
                code.push_str(&format!("\nextern crate {name} as _;"));
            }
            rustc.args(&self.args).args(search).stderr_with_stdin(code.as_bytes())
        })?;
        if !compiled.output.status.success() {
            compiled = compiled.untraced_instead(plain()?);
        }
        if !compiled.output.status.success() {
            self.options.skip(name, DOES_NOT_COMPILE)?;
            self.add_codes(name, &compiled.output.stderr);
            return self.end(&compiled.output);
        }
        let (file, fence) = generated_source::place(name).unwrap_or((path, 0));
        let note = DoctestNote {
            names: vec![name.to_owned()],
            is_wrapped: generated_source::is_wrapped(code),
            generated: path.to_owned(),
            parts: generated_source::parts(code.lines(), 1, file, fence),
            ..DoctestNote::default()
        };
        self.write_note(binary, note, &compiled)?;
        self.end(&compiled.output)
    }

    /// Compiles with harness and allocator, or with the harness alone where there is another
    /// allocator.
    fn traced(
        &self,
        rustc: impl Fn(&[(&str, &Utf8Path)], &[String]) -> Result<Output>,
    ) -> Result<Compiled> {
        let Some((runtime, program)) = self.runtime() else {
            let untraced = Some("there is no tracing allocator for its target".to_owned());
            return Ok(Compiled { output: rustc(&[], &[])?, untraced, has_harness: false });
        };
        let search = ["-L".to_owned(), format!("dependency={}", runtime.search)];
        let libraries = [(PROGRAM, program), (ALLOCATOR, runtime.traced.as_path())];
        let output = rustc(&libraries, &search)?;
        if output.status.success() || !String::from_utf8_lossy(&output.stderr).contains(CONFLICT) {
            return Ok(Compiled { output, untraced: None, has_harness: true });
        }
        let untraced = Some(format!("it has a `#[global_allocator]` of its own; {BY_HAND}"));
        let output = rustc(&libraries[..1], &search)?;
        Ok(Compiled { output, untraced, has_harness: true })
    }

    /// Writes the note beside the binary. For a binary without the harness, writes the entries that
    /// it cannot write.
    fn write_note(&self, binary: &Utf8Path, note: DoctestNote, compiled: &Compiled) -> Result<()> {
        if !compiled.has_harness {
            for name in &note.names {
                self.options.untraced(name, compiled.untraced.clone().unwrap_or_default())?;
            }
            return Ok(());
        }
        let note = self.options.note(note, compiled.untraced.clone())?;
        let path = binary.with_extension(NOTE_EXTENSION);
        Ok(fs::write(path, tracemalloc_harness::to_bytes(&note))?)
    }

    /// Prints the codes that rustdoc looks for only because it got unstable options. On a stable
    /// toolchain it ignores them.
    fn add_codes(&self, name: &str, stderr: &[u8]) {
        let Some((file, fence)) =
            generated_source::place(name).filter(|_| self.options.compares_codes)
        else {
            return;
        };
        let stderr = String::from_utf8_lossy(stderr);
        for code in generated_source::error_codes(file, fence) {
            let error = format!("error[{code}]");
            if !stderr.contains(&error) {
                let _closed = writeln!(io::stderr(), "{error}: expected by this doctest");
            }
        }
    }

    /// Prints the messages of the last attempt, and returns its exit code.
    fn end(&self, output: &Output) -> Result<Option<i32>> {
        // A closed stderr is no error.
        let _closed = io::stderr().write_all(&output.stderr);
        Ok(output.status.code())
    }
}

/// Why a doctest marked `no_run` has no verdict.
const ONLY_COMPILED: &str = "`no_run`: it is only compiled";
/// Why a doctest that passes without being compiled has no verdict.
const DOES_NOT_COMPILE: &str = "`compile_fail`: it does not compile";
