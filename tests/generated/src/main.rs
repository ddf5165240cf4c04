//! Writes workspaces of random tests whose truth is known by construction, and compares what
//! `cargo tracemalloc test` reports with that truth. `ci/generated.sh` calls it.
//!
//!     generated write SEED TESTS DIRECTORY [--only KINDS] [--without KINDS]
//!     generated compare DIRECTORY...
//!
//! A test is a core, which leaks or is clean, in one or two wrappings. Both are Rust files of this
//! directory: see `kind.rs`, and `template.rs` for their form.

mod kind;
mod report;
mod rng;
mod score;
mod selection;
mod template;
mod test_case;
mod truth;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use score::Score;
use selection::Selection;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("generated: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[&str]) -> Result<ExitCode, String> {
    match arguments {
        ["write", seed, tests, directory, options @ ..] => {
            let seed = seed.parse().map_err(|_| format!("seed {seed:?} is not a number"))?;
            let tests = tests.parse().map_err(|_| format!("{tests:?} tests are not a number"))?;
            let kinds = Selection::parse(options)?.of(kind::all()?)?;
            Workspace::random(seed, tests, &kinds).write(Path::new(directory))?;
            Ok(ExitCode::SUCCESS)
        }
        ["compare", directories @ ..] if !directories.is_empty() => {
            let mut score = Score::default();
            for directory in directories {
                let directory = Path::new(directory);
                let truth = truth::read(&directory.join(truth::FILE))?;
                let verdicts = report::read(&directory.join(report::FILE))?;
                score.add(&directory.display().to_string(), &truth, &verdicts);
            }
            print!("{score}");
            Ok(if score.is_perfect() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => Err("usage: generated write SEED TESTS DIRECTORY [--only KINDS] [--without KINDS], \
                  or generated compare DIRECTORY..."
            .to_owned()),
    }
}
