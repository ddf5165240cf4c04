//! The content of `tracemalloc.toml`, or of `[workspace.metadata.tracemalloc]`.
//!
//! `docs/configuration.md` describes it. `settings` merges it with the command line.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;

use crate::cli::Deny;
use crate::util::exit_code::UsageError;
use crate::util::file::is_there;

use crate::config::document::{Document, Placed, Table};
use crate::config::layer::Layer;
use crate::config::values;

/// The file at the workspace's root.
const FILE: &str = "tracemalloc.toml";
/// The workspace's manifest.
const MANIFEST: &str = "Cargo.toml";

/// The content of a configuration.
#[derive(Debug, Default)]
pub struct Config {
    /// Options for all tests.
    pub options: Layer,
    /// Verdicts that fail, for all tests.
    pub deny: Option<Placed<Vec<Deny>>>,
    /// Whether the programs that tests start are checked.
    pub programs: Option<Placed<bool>>,
    /// Options for some tests. If several overrides set one option, the first one holds.
    pub overrides: Vec<Override>,
    /// Leaks that do not fail a test.
    pub known_leaks: Vec<KnownLeak>,
    /// Known holders besides the built-in list.
    pub holders: Vec<Holder>,
}

/// Options for some tests.
#[derive(Debug)]
pub struct Override {
    /// The place in the file.
    pub place: String,
    /// A pattern for the package's name.
    pub package: Option<String>,
    /// A pattern for the test's name.
    pub test: Option<String>,
    /// The options.
    pub options: Layer,
}

/// A leak that does not fail a test.
#[derive(Debug)]
pub struct KnownLeak {
    /// The place in the file.
    pub place: String,
    /// The fingerprint. If it is given, patterns are not.
    pub id: Option<String>,
    /// The growth in bytes a run up to which the leak with this fingerprint is known.
    pub max_growth: Option<u64>,
    /// Functions that allocate for the leak with this fingerprint.
    pub functions: Vec<String>,
    /// Tests that have shown the leak with this fingerprint.
    pub tests: Vec<String>,
    /// The comment above the entry of a baseline.
    pub comment: Option<String>,
    /// A pattern for the package's name.
    pub package: Option<String>,
    /// A pattern for the test's name.
    pub test: Option<String>,
    /// A pattern for a frame's file.
    pub file: Option<String>,
    /// A pattern for the same frame's function.
    pub function: Option<String>,
    /// Why it does not fail the test.
    pub reason: String,
}

/// A known holder: one pattern for statics or for threads.
#[derive(Debug)]
pub struct Holder {
    /// The place in the file.
    pub place: String,
    /// A pattern for the path of a static.
    pub of_static: Option<String>,
    /// A pattern for the start function of a thread.
    pub of_thread: Option<String>,
    /// Why its growth is no leak.
    pub reason: String,
}

impl Config {
    /// Reads the configuration at a workspace's root.
    pub fn find(root: &Utf8Path) -> Result<Self> {
        let manifest = fs::read_to_string(root.join(MANIFEST))
            .context("failed to read the workspace's manifest")?;
        let in_manifest = in_manifest(Document { name: MANIFEST, source: &manifest })?;
        let path = root.join(FILE);
        if !is_there(&path) {
            return in_manifest.map_or_else(|| Ok(Self::default()), Self::read);
        }
        if let Some(table) = in_manifest {
            let place = table.place;
            let both = format!(
                "there are two configurations, `{FILE}` and `workspace.metadata.tracemalloc` in {place}"
            );
            return Err(UsageError(format!("{both}; move all options to one of them")).into());
        }
        let source = fs::read_to_string(path).context("failed to read the configuration")?;
        Self::read(Document { name: FILE, source: &source }.parse()?)
    }

    fn read(mut table: Table<'_>) -> Result<Self> {
        let config = Self {
            options: Layer::read(&mut table)?,
            deny: table.take("deny", values::verdicts)?,
            programs: table.take("programs", values::boolean)?,
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

/// The table `[workspace.metadata.tracemalloc]` of the workspace's manifest.
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
            return Err(table.error("`[[overrides]]` needs `package` or `test`"));
        }
        if one.options.is_empty() {
            return Err(table.error("`[[overrides]]` needs an option"));
        }
        Ok(one)
    }
}

impl KnownLeak {
    fn read(mut table: Table<'_>) -> Result<Self> {
        let reason = table.take("reason", values::text)?;
        let one = Self {
            place: table.place.clone(),
            id: table.take("id", values::fingerprint)?.map(|id| id.value),
            max_growth: table.take("max-growth", values::size)?.map(|size| size.value),
            functions: texts(&mut table, "functions")?,
            tests: texts(&mut table, "tests")?,
            comment: None,
            package: pattern(&mut table, "package")?,
            test: pattern(&mut table, "test")?,
            file: pattern(&mut table, "file")?,
            function: pattern(&mut table, "function")?,
            reason: reason.as_ref().map(|reason| reason.value.clone()).unwrap_or_default(),
        };
        table.finish()?;
        if reason.is_none() {
            return Err(table.error("`[[known-leaks]]` needs a `reason`"));
        }
        let [package, test, file, function] =
            [&one.package, &one.test, &one.file, &one.function].map(Option::is_some);
        let error = match (&one.id, test || file || function) {
            (Some(_), true) => "`id` in `[[known-leaks]]` goes without patterns",
            (Some(_), false) if package => "`id` in `[[known-leaks]]` goes without patterns",
            (None, false) => "`[[known-leaks]]` needs `id`, `test`, `file` or `function`",
            (None, true) if one.max_growth.is_some() => {
                "`max-growth` in `[[known-leaks]]` needs `id`"
            }
            (None, true) if !one.tests.is_empty() => "`tests` in `[[known-leaks]]` needs `id`",
            (None, true) if !one.functions.is_empty() => {
                "`functions` in `[[known-leaks]]` needs `id`; a pattern is called `function`"
            }
            _ => return Ok(one),
        };
        Err(table.error(error))
    }

    /// The leak in words: the comment above the entry, or its patterns.
    pub fn title(&self) -> Option<String> {
        let patterns = [
            ("package", &self.package),
            ("test", &self.test),
            ("file", &self.file),
            ("function", &self.function),
        ];
        let patterns = patterns.into_iter().filter_map(|(key, pattern)| {
            pattern.as_ref().map(|pattern| format!("{key} `{pattern}`"))
        });
        let patterns: Vec<String> = patterns.collect();
        self.comment.clone().or((!patterns.is_empty()).then(|| patterns.join(", ")))
    }

    /// Reads an entry of a baseline, which always has a fingerprint.
    pub fn read_of_baseline(table: Table<'_>) -> Result<Self> {
        let place = table.place.replacen(':', " line ", 1);
        let one = Self::read(table)?;
        if one.id.is_none() {
            let what = "`[[known-leaks]]` of a baseline needs `id`";
            return Err(UsageError(format!("{what} in {place}")).into());
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
            return Err(table.error("`[[holders]]` needs a `reason`"));
        }
        if one.of_static.is_some() == one.of_thread.is_some() {
            return Err(table.error("`[[holders]]` needs either `static` or `thread`"));
        }
        Ok(one)
    }
}

fn pattern(table: &mut Table<'_>, key: &'static str) -> Result<Option<String>> {
    Ok(table.take(key, values::pattern)?.map(|pattern| pattern.value))
}

fn texts(table: &mut Table<'_>, key: &'static str) -> Result<Vec<String>> {
    Ok(table.take(key, values::texts)?.map(|texts| texts.value).unwrap_or_default())
}
