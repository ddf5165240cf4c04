//! What `tracemalloc.toml`, or `[workspace.metadata.tracemalloc]`, says. `docs/configuration.md`
//! describes it.
//!
//! What follows from it and from the command line is in [`settings`](crate::config::settings).

use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;

use crate::cli::Deny;
use crate::cli::values::{FRAMES, RUNS};
use crate::util::exit_code::UsageError;

use crate::config::document::{Document, Placed, Table};
use crate::config::values;

/// The file at the workspace's root.
const FILE: &str = "tracemalloc.toml";
/// The workspace's manifest.
const MANIFEST: &str = "Cargo.toml";

/// All that a configuration says.
#[derive(Debug, Default)]
pub struct Config {
    /// For all tests.
    pub options: Layer,
    /// Verdicts that fail, for all tests.
    pub deny: Option<Placed<Vec<Deny>>>,
    /// For some tests. Of several that say something of one option, the first holds.
    pub overrides: Vec<Override>,
    /// Leaks that are no failure.
    pub known_leaks: Vec<KnownLeak>,
    /// Holders of memory that free later or fill once, besides those that are built in.
    pub holders: Vec<Holder>,
}

/// Options that all tests may have, or some; `None` is not said.
#[derive(Debug, Default)]
pub struct Layer {
    /// `--max-growth`.
    pub max_growth: Option<Placed<u64>>,
    /// `--max-blocks`.
    pub max_blocks: Option<Placed<u64>>,
    /// `--runs`.
    pub runs: Option<Placed<u32>>,
    /// `--frames`.
    pub frames: Option<Placed<u32>>,
    /// `--include`.
    pub include: Option<Placed<Vec<String>>>,
    /// `--exclude`.
    pub exclude: Option<Placed<Vec<String>>>,
    /// `--timeout`.
    pub timeout: Option<Placed<Duration>>,
}

/// Options for some tests.
#[derive(Debug)]
pub struct Override {
    /// Where it is.
    pub place: String,
    /// Which.
    pub package: Option<String>,
    /// Which.
    pub test: Option<String>,
    /// What holds for them.
    pub options: Layer,
}

/// A leak that is no failure.
#[derive(Debug)]
pub struct KnownLeak {
    /// Where it is said.
    pub place: String,
    /// In which packages it is known.
    pub package: Option<String>,
    /// In which tests it is known.
    pub test: Option<String>,
    /// A frame's file.
    pub file: Option<String>,
    /// The same frame's function.
    pub function: Option<String>,
    /// Why it is no failure.
    pub reason: String,
}

/// A static or threads whose growth is no leak, by one pattern.
#[derive(Debug)]
pub struct Holder {
    /// Where it is said.
    pub place: String,
    /// The path of a static.
    pub of_static: Option<String>,
    /// The function that a thread was started with.
    pub of_thread: Option<String>,
    /// Why it is no leak.
    pub reason: String,
}

impl Config {
    /// Reads what there is at a workspace's root.
    pub fn find(root: &Utf8Path) -> Result<Self> {
        let manifest = fs::read_to_string(root.join(MANIFEST))
            .context("failed to read the workspace's manifest")?;
        let in_manifest = in_manifest(Document { name: MANIFEST, source: &manifest })?;
        let path = root.join(FILE);
        if !path.exists() {
            return in_manifest.map_or_else(|| Ok(Self::default()), Self::read);
        }
        if let Some(table) = in_manifest {
            let place = table.place;
            let both = format!(
                "there are two configurations: `{FILE}` and `workspace.metadata.tracemalloc` in {place}"
            );
            return Err(UsageError(format!("{both}; move all of it to one of them")).into());
        }
        let source = fs::read_to_string(path).context("failed to read the configuration")?;
        Self::read(Document { name: FILE, source: &source }.parse()?)
    }

    fn read(mut table: Table<'_>) -> Result<Self> {
        let config = Self {
            options: Layer::read(&mut table)?,
            deny: table.take("deny", values::verdicts)?,
            overrides: table
                .tables("overrides")?
                .into_iter()
                .map(Override::read)
                .collect::<Result<_>>()?,
            known_leaks: table
                .tables("known-leaks")?
                .into_iter()
                .map(KnownLeak::read)
                .collect::<Result<_>>()?,
            holders: table
                .tables("holders")?
                .into_iter()
                .map(Holder::read)
                .collect::<Result<_>>()?,
        };
        table.finish()?;
        Ok(config)
    }
}

/// `[workspace.metadata.tracemalloc]`.
fn in_manifest(document: Document<'_>) -> Result<Option<Table<'_>>> {
    let mut manifest = document.parse()?;
    let Some(mut workspace) = manifest.table("workspace")? else {
        return Ok(None);
    };
    let Some(mut metadata) = workspace.table("metadata")? else {
        return Ok(None);
    };
    metadata.table("tracemalloc")
}

impl Layer {
    fn read(table: &mut Table<'_>) -> Result<Self> {
        Ok(Self {
            max_growth: table.take("max-growth", values::size)?,
            max_blocks: table.take("max-blocks", values::count)?,
            runs: table.take("runs", values::number_in(RUNS, "3.."))?,
            frames: table.take("frames", values::number_in(FRAMES, "1..=128"))?,
            include: table.take("include", values::patterns)?,
            exclude: table.take("exclude", values::patterns)?,
            timeout: table.take("timeout", values::duration)?,
        })
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        let Self { max_growth, max_blocks, runs, frames, include, exclude, timeout } = self;
        let (sizes, numbers) =
            (max_growth.is_none() && max_blocks.is_none(), runs.is_none() && frames.is_none());
        sizes && numbers && include.is_none() && exclude.is_none() && timeout.is_none()
    }
}

impl Override {
    fn read(mut table: Table<'_>) -> Result<Self> {
        let one = Self {
            place: table.place.clone(),
            package: pattern(&mut table, "package")?,
            test: pattern(&mut table, "test")?,
            options: Layer::read(&mut table)?,
        };
        table.finish()?;
        if one.package.is_none() && one.test.is_none() {
            return Err(table.error("`[[overrides]]` without `package` or `test`"));
        }
        if one.options.is_empty() {
            return Err(table.error("`[[overrides]]` without an option"));
        }
        Ok(one)
    }
}

impl KnownLeak {
    fn read(mut table: Table<'_>) -> Result<Self> {
        let reason = table.take("reason", values::text)?;
        let one = Self {
            place: table.place.clone(),
            package: pattern(&mut table, "package")?,
            test: pattern(&mut table, "test")?,
            file: pattern(&mut table, "file")?,
            function: pattern(&mut table, "function")?,
            reason: reason.as_ref().map(|reason| reason.value.clone()).unwrap_or_default(),
        };
        table.finish()?;
        if reason.is_none() {
            return Err(table.error("`[[known-leaks]]` without a `reason`"));
        }
        if one.test.is_none() && one.file.is_none() && one.function.is_none() {
            return Err(table.error("`[[known-leaks]]` without `test`, `file` or `function`"));
        }
        Ok(one)
    }
}

impl Holder {
    fn read(mut table: Table<'_>) -> Result<Self> {
        let reason = table.take("reason", values::text)?;
        let one = Self {
            place: table.place.clone(),
            of_static: pattern(&mut table, "static")?,
            of_thread: pattern(&mut table, "thread")?,
            reason: reason.as_ref().map(|reason| reason.value.clone()).unwrap_or_default(),
        };
        table.finish()?;
        if reason.is_none() {
            return Err(table.error("`[[holders]]` without a `reason`"));
        }
        if one.of_static.is_some() == one.of_thread.is_some() {
            return Err(table.error("`[[holders]]` without one of `static` and `thread`"));
        }
        Ok(one)
    }
}

fn pattern(table: &mut Table<'_>, key: &'static str) -> Result<Option<String>> {
    Ok(table.take(key, values::pattern)?.map(|pattern| pattern.value))
}
