//! A known leak that no test shows any more.

use serde::{Deserialize, Serialize};

use crate::config::KnownLeak;

/// A known leak that no longer occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleLeak {
    /// Its entry in the configuration or in the baseline: `tracemalloc-baseline.toml:4`.
    pub place: String,
    /// The reason in the entry.
    pub reason: String,
    /// Its fingerprint, if the entry has one.
    #[serde(default)]
    pub id: Option<String>,
    /// The leak in words: the comment above the entry, or its patterns.
    #[serde(default)]
    pub title: Option<String>,
}

impl From<&KnownLeak> for StaleLeak {
    fn from(known: &KnownLeak) -> Self {
        let KnownLeak { place, reason, id, .. } = known;
        let (place, reason, id) = (place.clone(), reason.clone(), id.clone());
        Self { place, reason, id, title: known.title() }
    }
}
