//! The baseline: a file with the leaks that a project accepts, by fingerprint.
//!
//! It has the form of the configuration's `[[known-leaks]]`. `output::baseline` writes it.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use fs_err as fs;

use crate::cli::BaselineArgs;
use crate::config::configuration::KnownLeak;
use crate::config::document::Document;
use crate::util::exit_code::UsageError;
use crate::util::file::{is_there, write_atomically};

/// The file beside the workspace's manifest.
const FILE: &str = "tracemalloc-baseline.toml";

/// The baseline, and its use in the run.
#[derive(Debug)]
pub struct Baseline {
    /// Its file, which may not exist yet.
    pub path: Utf8PathBuf,
    /// Its content.
    pub leaks: Vec<KnownLeak>,
    /// The use of the file.
    pub mode: Mode,
    /// The file in messages and in the report. No other file has this name.
    name: String,
}

/// The use of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is read.
    Read,
    /// Leaks of this run are written to it.
    Write,
    /// Leaks that no longer occur are removed from it.
    Prune,
}

impl Baseline {
    /// Reads the baseline of a workspace. A path from the command line is relative to the current
    /// directory.
    pub fn find(args: &BaselineArgs, root: &Utf8Path) -> Result<Self> {
        let written = args.write_baseline.as_ref();
        let given = args.baseline.as_ref().or(written.and_then(Option::as_ref));
        let path = given.cloned().unwrap_or_else(|| root.join(FILE));
        let mode = match (written, args.prune_baseline) {
            (Some(_), _) => Mode::Write,
            (None, true) => Mode::Prune,
            (None, false) => Mode::Read,
        };
        let name = name_of(&path, root);
        let baseline = Self { path, leaks: Vec::new(), mode, name };
        if !is_there(&baseline.path) {
            if args.baseline.is_some() || mode == Mode::Prune {
                let path = &baseline.path;
                let way_out = "`--write-baseline` writes one";
                return Err(UsageError(format!("there is no baseline `{path}`; {way_out}")).into());
            }
            return Ok(baseline);
        }
        baseline.read_again()
    }

    /// The text of the file; empty if there is none.
    pub fn text(&self) -> Result<String> {
        if !is_there(&self.path) {
            return Ok(String::new());
        }
        fs::read_to_string(&self.path).context("failed to read the baseline")
    }

    /// Writes the file as a whole.
    pub fn write(&self, text: &str) -> Result<()> {
        write_atomically(&self.path, text.as_bytes())
            .with_context(|| format!("failed to write the baseline `{}`", self.path))
    }

    /// The same baseline with the present content of its file.
    pub fn read_again(&self) -> Result<Self> {
        let source = self.text()?;
        let mut table = Document { name: &self.name, source: &source }.parse()?;
        let tables = table.tables("known-leaks")?;
        let lines: Vec<&str> = source.lines().collect();
        let mut leaks =
            tables.into_iter().map(KnownLeak::read_of_baseline).collect::<Result<Vec<_>>>()?;
        for leak in &mut leaks {
            leak.comment = comment_above(&lines, &leak.place);
        }
        table.finish()?;
        Ok(Self { path: self.path.clone(), leaks, mode: self.mode, name: self.name.clone() })
    }
}

/// The comment in the line above an entry.
fn comment_above(lines: &[&str], place: &str) -> Option<String> {
    let line: usize = place.rsplit_once(':')?.1.parse().ok()?;
    let above = lines.get(line.checked_sub(2)?)?;
    above.strip_prefix('#').map(|comment| comment.trim().to_owned())
}

/// A file, relative to the workspace if it lies in it. A known leak goes by this name and its line,
/// and the configuration's file has the same form.
fn name_of(path: &Utf8Path, root: &Utf8Path) -> String {
    let absolute = absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let below = absolute.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/")
}
