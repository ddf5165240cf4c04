//! The resolved options of `top`, `diff` and `show`: filters, grouping, roots of source files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tracemalloc::{BaseFilter, KeyType, Snapshot, Sources, Statistic, StatisticDiff};

use crate::cli::{GroupBy, QueryArgs};
use crate::snapshot::filters::filters;
use crate::snapshot::held_change::HeldChanges;
use crate::util::exit_code::UsageError;
use crate::util::file_kind::FileKind;

/// CPython's own message has a typo.
const CUMULATIVE_TRACEBACK: &str = "`--cumulative` cannot be used with `--by traceback`, which counts each block once; use \
     `--by filename` or `--by lineno`";

/// A query to snapshots.
pub struct SnapshotQuery<'a> {
    /// The options.
    pub args: &'a QueryArgs,
    /// The source files.
    pub sources: Sources,
    filters: Vec<Box<dyn BaseFilter>>,
}

impl<'a> SnapshotQuery<'a> {
    /// Checks the options and builds the filters.
    pub fn resolve(args: &'a QueryArgs) -> Result<Self> {
        if args.cumulative && args.by == GroupBy::Key(KeyType::Traceback) {
            // Reading a snapshot may take long, so this comes first.
            return Err(UsageError(CUMULATIVE_TRACEBACK.to_owned()).into());
        }
        Ok(Self { args, sources: sources(), filters: filters(&args.filter) })
    }

    /// The groups of one snapshot.
    pub fn statistics(&self, path: &Path) -> Result<Vec<Statistic>> {
        Ok(self.filtered(&load(path)?).statistics(self.key(), self.args.cumulative)?)
    }

    /// The groups of two snapshots, compared; and the changes of their holders, if both have them.
    /// Filters choose lines of code, so with filters there are no holders.
    pub fn differences(
        &self,
        old: &Path,
        new: &Path,
    ) -> Result<(Vec<StatisticDiff>, Option<HeldChanges>)> {
        let (old, new) = (load(old)?, load(new)?);
        let held = old.held_memory().zip(new.held_memory()).filter(|_| self.filters.is_empty());
        let changes = held.map(|(old, new)| HeldChanges::between(old, new));
        let (old, new) = (self.filtered(&old), self.filtered(&new));
        Ok((new.compare_to(&old, self.key(), self.args.cumulative)?, changes))
    }

    fn key(&self) -> KeyType {
        match self.args.by {
            GroupBy::Key(key) => key,
            GroupBy::Domain => KeyType::Filename,
        }
    }

    fn filtered(&self, snapshot: &Snapshot) -> Snapshot {
        let filters: Vec<&dyn BaseFilter> = self.filters.iter().map(AsRef::as_ref).collect();
        let snapshot = snapshot.filter_traces(&filters);
        let by_domain = self.args.by == GroupBy::Domain;
        if by_domain { snapshot.with_domains_for_files() } else { snapshot }
    }
}

/// Reads a snapshot. If the file is of another kind, the error says which command opens it.
pub fn load(path: &Path) -> Result<Snapshot> {
    Snapshot::load(path)
        .map_err(|error| FileKind::instead_of(&[FileKind::Snapshot], path).unwrap_or(error.into()))
}

/// File names are relative to the workspace, where cargo runs rustc. The workspace and the package
/// are directories above the current one. Dependencies lie where cargo unpacks registries.
fn sources() -> Sources {
    let mut sources = Sources::new();
    for dir in env::current_dir().iter().flat_map(|dir| dir.ancestors()) {
        if dir.join("Cargo.toml").is_file() {
            sources.add_root(dir);
        }
    }
    let registries = env::home_dir().map(|home| home.join(".cargo"));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or(registries);
    let unpacked = cargo_home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    for registry in unpacked.into_iter().flatten().flatten() {
        sources.add_root(registry.path());
    }
    sources
}
