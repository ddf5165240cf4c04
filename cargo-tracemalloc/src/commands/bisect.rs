//! `cargo tracemalloc bisect`: finds the first revision at which a leak appears.
//!
//! `git bisect run` selects the revisions, in a clone. It starts this command again for each of
//! them, with `--step`.

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::cli::BisectArgs;
use crate::output;
use crate::report::{Report, report_file};
use crate::util::exit_code::{ExitCode, UsageError};
use crate::util::file::this_program;
use crate::util::private_dir::{self, PrivateDir};
use crate::util::process::Process;
use crate::util::terminal;
use crate::workspace::Repository;

/// The answers that `git bisect run` expects.
const GOOD: u8 = 0;
const BAD: u8 = 1;
const SKIP: u8 = 125;
const ABORT: u8 = 128;

/// The exit code of `test` for a wrong command line.
const USAGE: i32 = 2;

/// The lines of a failed build that are shown.
const SHOWN_LINES: usize = 20;

/// All steps of a bisection run the same tests in the same place.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    /// The directory for the clone, the builds and the report.
    dir: Utf8PathBuf,
    /// The directory of the workspace inside the clone.
    prefix: Utf8PathBuf,
    /// The arguments of `test`.
    args: Vec<String>,
    /// The leak; empty as long as it is unknown.
    id: String,
    verbose: bool,
}

/// Runs the command.
pub fn run(args: &BisectArgs) -> Result<u8> {
    terminal::set_color(args.color);
    match &args.step {
        Some(plan) => step(plan),
        None => bisect(args).map(u8::from),
    }
}

fn bisect(args: &BisectArgs) -> Result<ExitCode> {
    let (repository, prefix) = Repository::here()?;
    let good = repository.commit(args.good())?;
    let bad = repository.commit(&args.bad)?;
    check(&repository, args, &good, &bad)?;
    private_dir::remove_abandoned();
    let dir = PrivateDir::create().context("failed to create a directory for the clone")?;
    let dir_path = Utf8Path::from_path(dir.path()).context("its path is not UTF-8")?;
    let clone = repository.clone_to(&dir_path.join("clone"))?;
    let mut plan = Plan {
        dir: dir_path.to_owned(),
        prefix,
        args: args.rest.clone(),
        id: args.id.clone().unwrap_or_default(),
        verbose: args.verbose,
    };
    let now = plan.report_at(&clone, &bad, &args.bad)?;
    let before = plan.report_at(&clone, &good, args.good())?;
    let leak = wanted(args, &now, &before)?;
    plan.id.clone_from(&leak.id);
    let text = output::text::in_a_line(leak);
    terminal::status("Bisecting", format_args!("{text}"));
    let found = plan.search(&clone, &good, &bad)?;
    let shown = clone.git(&["show", "--no-patch", "--no-color", &found]).read()?;
    output::print_all(&format!("first revision with {text}\n\n{shown}"))?;
    Ok(ExitCode::Clean)
}

/// Checks the revisions and the checkout before anything is built.
fn check(repository: &Repository, args: &BisectArgs, good: &str, bad: &str) -> Result<()> {
    let name = args.good();
    if good == bad {
        let same = format!("`--good {name}` and `--bad {}` are the same commit", args.bad);
        return Err(UsageError(same).into());
    }
    if !repository.is_ancestor(good, bad)? {
        let order = format!(
            "`--good {name}` is no ancestor of `{}`; expected a commit of its history",
            args.bad
        );
        return Err(UsageError(order).into());
    }
    let changed = repository.changed_files()?;
    if let Some(first) = changed.first() {
        let more = match changed.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        return Err(UsageError(format!(
            "`{first}`{more} has changes that are not committed, and `bisect` sees commits only; \
             commit them, or put them away with `git stash`"
        ))
        .into());
    }
    Ok(())
}

/// The leak to look for: it is there now, and was not there before.
fn wanted<'a>(
    args: &BisectArgs,
    now: &'a Report,
    before: &Report,
) -> Result<&'a crate::report::Leak> {
    let (good, bad) = (args.good(), &args.bad);
    let was_there = |id: &str| before.leaks.iter().any(|leak| leak.id == id);
    if let Some(id) = &args.id {
        let Some(leak) = now.leaks.iter().find(|leak| leak.id == *id) else {
            let ids: Vec<&str> = now.leaks.iter().map(|leak| leak.id.as_str()).collect();
            let others = match ids.as_slice() {
                [] => "its tests show no leak".to_owned(),
                ids => format!("its tests show {}", ids.join(", ")),
            };
            bail!("no test of `{bad}` shows the leak {id}; {others}");
        };
        if was_there(id) {
            bail!("the leak {id} is already there at `{good}`; expected an older `--good`");
        }
        return Ok(leak);
    }
    let mut new = now.leaks.iter().filter(|leak| !was_there(&leak.id));
    let Some(leak) = new.next() else {
        if now.leaks.is_empty() {
            bail!("the tests of `{bad}` show no leak; expected another `--bad`, or other tests");
        }
        bail!("all leaks of `{bad}` are already there at `{good}`; expected an older `--good`");
    };
    let others: Vec<&str> = new.map(|leak| leak.id.as_str()).collect();
    if !others.is_empty() {
        terminal::status("Note", format_args!("also new: {}; `--id` selects", others.join(", ")));
    }
    Ok(leak)
}

impl Plan {
    /// Runs the tests at a revision that has to build.
    fn report_at(&self, clone: &Repository, commit: &str, name: &str) -> Result<Report> {
        clone.check_out(commit)?;
        terminal::status("Testing", clone.summary(commit)?);
        let Some(report) = self.test()? else {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
            bail!("the tests of `{name}` could not be built or run:\n{shown}")
        };
        Ok(report)
    }

    /// Runs the tests of the revision that is checked out. `None` if they cannot be built or run.
    fn test(&self) -> Result<Option<Report>> {
        let report = self.dir.join("report.json");
        if report.exists() {
            fs::remove_file(&report)?;
        }
        let mut test = Process::new(this_program()?);
        test.args(["tracemalloc", "test", "--no-fail", "--no-github", "--report"]).arg(&report);
        test.args(&self.args).dir(&self.dir.join("clone").join(&self.prefix));
        test.env("CARGO_TARGET_DIR", Some(self.dir.join("target")));
        if !self.verbose {
            test.log_to(&fs::File::create(self.log())?.into_parts().0)?;
        }
        let status = test.print_if(self.verbose).status()?;
        if status.code() == Some(USAGE) {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            return Err(UsageError(format!("`test` failed: {}", log.trim_end())).into());
        }
        if !report.exists() {
            return Ok(None);
        }
        report_file::read(&report).map(Some)
    }

    fn log(&self) -> Utf8PathBuf {
        self.dir.join("log")
    }

    /// Lets git find the first bad commit.
    fn search(&self, clone: &Repository, good: &str, bad: &str) -> Result<String> {
        let plan = self.dir.join("plan.json");
        fs::write(&plan, serde_json::to_vec(self)?)?;
        clone.git(&["bisect", "start", bad, good]).read()?;
        let this = this_program()?;
        let run = ["bisect", "run", this.as_str(), "tracemalloc", "bisect", "--step"];
        let mut run = clone.git(&run);
        let ran = run.arg(&plan).stdout()?;
        let log = clone.git(&["bisect", "log"]).read().unwrap_or_default();
        for skipped in log.lines().filter_map(|line| line.strip_prefix("# skip: ")) {
            terminal::status("Skipped", format_args!("{skipped}"));
        }
        if ran.status.success() {
            return clone.commit("refs/bisect/bad");
        }
        let possible = log.lines().filter_map(|line| line.strip_prefix("# possible first bad "));
        let possible: Vec<&str> = possible.collect();
        if possible.is_empty() {
            bail!("`git bisect run` failed ({})", ran.status);
        }
        bail!(
            "the revisions in between could not be tested; the leak came with one of these:\n  {}",
            possible.join("\n  ")
        )
    }
}

/// Judges the revision that git has checked out.
fn step(plan: &Utf8Path) -> Result<u8> {
    let plan: Plan = serde_json::from_slice(&fs::read(plan)?).context("failed to read the plan")?;
    let clone = Repository { root: plan.dir.join("clone") };
    let summary = clone.summary("HEAD")?;
    let (answer, word) = match plan.test() {
        Ok(None) => (SKIP, "skipped, as it does not build"),
        Ok(Some(report)) if report.leaks.iter().any(|leak| leak.id == plan.id) => (BAD, "leaks"),
        Ok(Some(report)) if report.summary.failed > 0 => (SKIP, "skipped, as tests fail"),
        Ok(Some(_)) => (GOOD, "does not leak"),
        Err(error) => {
            terminal::error(&error);
            return Ok(ABORT);
        }
    };
    terminal::status("Tested", format_args!("{summary}: {word}"));
    Ok(answer)
}
