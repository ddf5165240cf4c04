//! One run of a workspace's tests under tracing: the preparation before cargo starts, and the
//! report after it.

use std::collections::HashSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use tracemalloc_harness::Session;

use crate::cli::{CargoOptions, Deny, LeakArgs, ReportArgs};
use crate::config::{Baseline, Config, KnownLeak, Mode, Settings};
use crate::name_server::NameSocket;
use crate::output::text::View;
use crate::report::unmatched_patterns;
use crate::report::{
    Doctests, Leak, Report, ReportOptions, SCHEMA, SourceLines, StaleLeak, Summary, Target,
};
use crate::runtimes;
use crate::runtimes::{BuildOptions, Runtimes};
use crate::util::exit_code::ExitCode;
use crate::util::file::this_program;
use crate::util::{interrupt, private_dir, terminal};
use crate::workspace::Context;
use crate::workspace::SessionDir;
use crate::{output, report, wrapper};

/// The state of a run.
#[derive(Debug)]
pub struct Suite {
    /// The compiler and the workspace.
    pub context: Context,
    /// How to measure and judge.
    pub settings: Settings,
    /// The libraries to inject.
    pub runtimes: Runtimes,
    /// The session of command, wrapper and harness.
    pub session: SessionDir,
    /// Whether the text shows everything.
    verbose: bool,
    /// Answers name requests until the run is over.
    _names: Option<NameSocket>,
}

/// The tests of a run, and the leaks that they show.
#[derive(Debug)]
pub struct Results {
    /// The targets with their tests.
    pub targets: Vec<Target>,
    /// The leaks of all targets.
    pub leaks: Vec<Leak>,
    /// The reasons why results of tests are missing.
    pub damaged: Vec<String>,
}

impl Results {
    /// Counts the tests.
    pub fn summary(&self) -> Summary {
        Target::summary(&self.targets)
    }
}

/// The result of a run, besides the fragments.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: ExitCode,
    /// The doctests that ran.
    pub doctests: Option<Doctests>,
    /// Whether all tests of the workspace ran and passed.
    pub complete: bool,
}

impl Suite {
    /// Resolves the options, builds the runtimes, and opens a session.
    pub fn prepare(options: &CargoOptions, leaks: &LeakArgs) -> Result<Self> {
        Self::with_session(options, leaks, SessionDir::create, true)
    }

    /// The same for tests that another process will start after this one has ended.
    pub fn prepare_for_others(options: &CargoOptions, leaks: &LeakArgs) -> Result<Self> {
        Self::with_session(options, leaks, SessionDir::for_others, false)
    }

    fn with_session(
        options: &CargoOptions,
        leaks: &LeakArgs,
        create: impl FnOnce(&Utf8Path) -> Result<SessionDir>,
        waits: bool,
    ) -> Result<Self> {
        let context = Context::resolve(options)?;
        let root = &context.metadata.workspace_root;
        let baseline = Baseline::find(&leaks.baseline, root)?;
        let settings = Settings::resolve(leaks, Config::find(root)?, baseline);
        let unmatched = unmatched_patterns::of_packages(&settings, &context.metadata);
        unmatched.iter().for_each(terminal::warning);
        report::known_twice(settings.all_known_leaks()).iter().for_each(terminal::warning);
        let build_options = BuildOptions {
            verbose: options.build.verbose > 0,
            quiet: options.build.quiet,
            offline: options.build.offline || options.build.frozen,
        };
        let runtimes = runtimes::ensure(&context.rustc, &context.triples, build_options)?;
        interrupt::install()?;
        private_dir::remove_abandoned();
        let session = create(&context.target_dir)?;
        // Tests that others start outlive this process.
        let names = if waits { NameSocket::open() } else { None };
        let socket = names.as_ref().and_then(|names| names.path().to_str());
        let harness = Session {
            fail_on: (!waits).then(|| settings.failing()),
            fails_on_mismatch: settings.fails_on(Deny::Mismatch),
            names: socket.map(str::to_owned),
            ..harness_session(&settings, &context)?
        };
        session.write(&harness, &wrapper::Config::new(&context, &session, &runtimes))?;
        let verbose = options.build.verbose > 0;
        Ok(Self { context, settings, runtimes, session, verbose, _names: names })
    }

    /// Reads the fragments of all test binaries, and finds the leaks. Leaks that are known by their
    /// fingerprint are marked. If `--write-baseline` is given, it writes them first.
    pub fn results(&self, is_complete: bool) -> Result<Results> {
        let (settings, metadata) = (&self.settings, &self.context.metadata);
        let (mut targets, mut damaged) =
            report::targets(&self.session.fragments(), metadata, &settings.deny)?;
        if settings.programs {
            let (programs, damaged_programs) =
                report::programs(&self.session.fragments(), &self.context.target_dir, metadata)?;
            targets.extend(programs);
            targets.sort_by(|a, b| a.key().cmp(&b.key()));
            damaged.extend(damaged_programs);
        }
        let sources = SourceLines::new(&metadata.workspace_root);
        let mut leaks = report::leaks(&mut targets, &settings.deny, &sources);
        let known = self.settings.all_known_leaks();
        report::apply_known_leaks(&mut leaks, &mut targets, known, &settings.deny);
        report::add_hints(&mut leaks, &targets, &settings.deny, metadata);
        if settings.baseline.mode == Mode::Write && !interrupt::interrupted() {
            let written = self.write_baseline(&leaks, is_complete)?;
            let known = written.leaks.iter();
            report::apply_known_leaks(&mut leaks, &mut targets, known, &settings.deny);
        }
        Ok(Results { targets, leaks, damaged })
    }

    /// Writes the leaks that fail to the baseline, and reads it again.
    fn write_baseline(&self, leaks: &[Leak], is_complete: bool) -> Result<Baseline> {
        let (settings, baseline) = (&self.settings, &self.settings.baseline);
        let failing: Vec<&Leak> = leaks.iter().filter(|leak| leak.fails(&settings.deny)).collect();
        let old = baseline.text()?;
        // A part of the suite does not tell which leaks are gone.
        let text = output::baseline::written(&old, &failing, !is_complete)?;
        baseline.write(&text)?;
        let number = output::text::line::count(failing.len() as u64, "leak");
        terminal::status(
            "Wrote",
            format_args!("{number} to `{}`", output::shorten(&baseline.path)),
        );
        baseline.read_again()
    }

    /// Removes the leaks from the baseline that no longer occur.
    fn prune_baseline(&self, stale: Option<&mut Vec<StaleLeak>>) -> Result<()> {
        let baseline = &self.settings.baseline;
        let path = output::shorten(&baseline.path);
        let Some(stale) = stale else {
            terminal::warning(format_args!(
                "`{path}` is not pruned: only a run of the whole suite, in which every test passes, \
                 tells which leaks are gone"
            ));
            return Ok(());
        };
        let places: HashSet<&str> = stale.iter().map(|stale| stale.place.as_str()).collect();
        let is_stale = |known: &&KnownLeak| places.contains(known.place.as_str());
        let gone: Vec<&KnownLeak> = baseline.leaks.iter().filter(is_stale).collect();
        let ids: HashSet<&str> = gone.iter().filter_map(|known| known.id.as_deref()).collect();
        let is_gone = |id: &str| ids.contains(id);
        let (text, number) = output::baseline::pruned(&baseline.text()?, is_gone)?;
        if number > 0 {
            baseline.write(&text)?;
        }
        let number = output::text::line::count(number as u64, "leak");
        terminal::status("Pruned", format_args!("{number} from `{path}`"));
        let gone: HashSet<&str> = gone.iter().map(|known| known.place.as_str()).collect();
        stale.retain(|stale| !gone.contains(stale.place.as_str()));
        Ok(())
    }

    /// The exit code for these verdicts, if all tests have passed.
    pub fn judge(&self, summary: &Summary) -> ExitCode {
        let failing = summary.fails(&self.settings.deny) && !self.settings.no_fail;
        if failing { ExitCode::Leak } else { ExitCode::Clean }
    }

    /// Writes the report, and returns the exit code.
    pub fn finish(&self, results: Results, mut ran: Ran, wanted: &ReportArgs) -> Result<ExitCode> {
        if interrupt::interrupted() {
            terminal::warning(
                "the run was interrupted; the report has only the tests that had ended",
            );
            ran = Ran { code: ExitCode::CouldNotRun, complete: false, ..ran };
        }
        for why in &results.damaged {
            terminal::warning(format_args!("the report lacks the result of a test: {why}"));
        }
        if !results.damaged.is_empty() {
            let lacking = matches!(ran.code, ExitCode::Clean | ExitCode::Leak);
            let code = if lacking { ExitCode::CouldNotRun } else { ran.code };
            ran = Ran { code, complete: false, ..ran };
        }
        let stale = ran.complete.then(|| {
            let known = self.settings.all_known_leaks();
            report::stale_known_leaks(known, &results.targets, &results.leaks)
        });
        let mut stale = stale.filter(|_| self.settings.baseline.mode != Mode::Write);
        if self.settings.baseline.mode == Mode::Prune {
            self.prune_baseline(stale.as_mut())?;
        }
        if ran.code == ExitCode::Clean
            && self.settings.fails_on(Deny::Stale)
            && stale.as_ref().is_some_and(|stale| !stale.is_empty())
        {
            ran.code = ExitCode::Leak;
        }
        let code = ran.code;
        let (all_ran, has_results) =
            (ran.complete, results.targets.iter().any(|target| !target.tests.is_empty()));
        let unmatched = if has_results {
            self.unmatched_patterns(&results.targets, all_ran)
        } else {
            Vec::new()
        };
        // A report without tests must not replace one with tests.
        if matches!(code, ExitCode::Clean | ExitCode::TestFailed | ExitCode::Leak) || has_results {
            self.write(&self.report(results, stale, ran), wanted)?;
        }
        unmatched.iter().for_each(terminal::warning);
        Ok(code)
    }

    /// Warnings about patterns that match no file and, if all tests have run, no test.
    fn unmatched_patterns(&self, targets: &[Target], all_ran: bool) -> Vec<String> {
        let metadata = &self.context.metadata;
        let prefixes = report::path_prefixes(metadata);
        let mut warnings = if all_ran {
            unmatched_patterns::of_tests(&self.settings, targets)
        } else {
            Vec::new()
        };
        warnings.extend(unmatched_patterns::of_files(&self.settings, metadata, &prefixes, targets));
        warnings
    }

    fn report(&self, results: Results, stale: Option<Vec<StaleLeak>>, ran: Ran) -> Report {
        let settings = &self.settings;
        let summary = results.summary();
        let Results { targets, leaks, damaged: _ } = results;
        Report {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: self.context.rustc.version().to_owned(),
            target_triple: self.context.triples.join(","),
            directory: report::directory_in_repository(&self.context.metadata.workspace_root),
            options: ReportOptions {
                limits: settings.limits.clone(),
                deny: settings.deny.clone(),
                no_fail: settings.no_fail,
                known_holders: settings.known_holders,
                timeout_seconds: settings.timeout_seconds(),
            },
            summary,
            leaks,
            doctests: ran.doctests,
            stale_known_leaks: stale,
            targets,
        }
    }

    /// Writes the report to its place and to the requested file, and prints it.
    fn write(&self, report: &Report, wanted: &ReportArgs) -> Result<()> {
        let path = self.context.report_path();
        let shown = wanted.path.as_deref().unwrap_or_else(|| output::shorten(&path));
        let view = View { report_path: shown.as_str(), verbose: self.verbose, comparison: None };
        let is_requested = |also: &Utf8PathBuf| absolute_utf8(also).ok().as_ref() == Some(&path);
        let own = (!wanted.path.as_ref().is_some_and(is_requested)).then_some(path.as_path());
        output::print(&output::deliver(report, wanted, view, own)?);
        Ok(())
    }
}

fn harness_session(settings: &Settings, context: &Context) -> Result<Session> {
    Ok(Session {
        limits: settings.limits.clone(),
        timeout_seconds: settings.timeout_seconds(),
        overrides: settings.harness_overrides(),
        known_leaks: settings.harness_known_leaks(),
        known_ids: settings.known_ids(),
        workspace: context.metadata.workspace_root.to_string(),
        known_holders: Some(settings.harness_holders()),
        path_prefixes: report::path_prefixes(&context.metadata),
        restore_env: context.restore_env(),
        programs: settings.programs,
        command: this_program()?.into_string(),
        ..Session::default()
    })
}
