//! A pair of versions of a published crate: the row of `pairs.toml` that describes it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    pair: Vec<Pair>,
}

/// A leak that was published, and the version that fixed it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    /// The name of its file in `pairs/`, and of the test in it that leaks.
    pub(crate) name: String,
    /// The crate whose versions these are.
    #[serde(rename = "crate")]
    pub(crate) krate: String,
    pub(crate) bad: String,
    pub(crate) good: String,
    /// Features of the crate, beside which its default features are off. All defaults without it.
    pub(crate) features: Option<Vec<String>>,
    /// Other dependencies, by name. A version that starts with `bad:` and one that starts with
    /// `good:` may stand in one text, as in `bad:=1.0 good:=2.0`.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, String>,
    pub(crate) kind: Kind,
    /// Functions that allocate what leaks, where a marked line of the test does not say it.
    #[serde(default)]
    pub(crate) place: Vec<String>,
    /// The static, thread-local or thread that holds what leaks.
    pub(crate) holder: Option<String>,
    /// The report, change or release notes that say that it leaks and where it was fixed.
    pub(crate) source: String,
    /// How the leak was found to be real, beside the count of live bytes.
    #[expect(dead_code, reason = "for readers of the table")]
    confirmed: String,
}

/// The fate of the memory.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Nothing points to it.
    Lost,
    /// A static, a thread-local or a thread holds it.
    Held,
    /// C allocated it.
    C,
}

/// One side of a pair.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Version {
    Bad,
    Good,
}

impl Pair {
    /// The number of a version.
    pub(crate) fn number(&self, version: Version) -> &str {
        match version {
            Version::Bad => &self.bad,
            Version::Good => &self.good,
        }
    }
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Lost => "lost",
            Kind::Held => "held",
            Kind::C => "C",
        }
    }
}

impl Version {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Version::Bad => "bad",
            Version::Good => "good",
        }
    }
}

/// Reads the table of pairs.
pub(crate) fn load(path: &Path) -> Result<Vec<Pair>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let table: Table =
        toml::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    Ok(table.pair)
}
