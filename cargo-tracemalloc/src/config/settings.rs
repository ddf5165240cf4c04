//! The options in effect, and where each value comes from: command line, configuration or default.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tracemalloc::Limits;
use tracemalloc::internal::heap::KNOWN_HOLDERS;
use tracemalloc_harness::{HolderRule, Known, KnownId, Verdict};

use crate::cli::{Deny, LeakArgs};
use crate::config::baseline::{Baseline, Mode};
use crate::config::configuration::{Config, Holder, KnownLeak, Override};
use crate::config::document::Placed;
use crate::config::layer;

/// The key of `--deny`.
pub const DENY: &str = "deny";
/// The key of `--programs`.
pub const PROGRAMS: &str = "programs";

/// All options in effect.
#[derive(Debug)]
pub struct Settings {
    /// Limits and filters, with their defaults.
    pub limits: Limits,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--deny`, sorted.
    pub deny: Vec<Deny>,
    /// Whether the programs that tests start are checked: `--programs`.
    pub programs: bool,
    /// Where the options are from that are given, by key.
    origins: BTreeMap<&'static str, Origin>,
    /// `--no-fail`.
    pub no_fail: bool,
    /// Options for some tests, without those that the command line sets for all.
    pub overrides: Vec<Override>,
    /// Leaks that do not fail a test.
    pub known_leaks: Vec<KnownLeak>,
    /// The baseline.
    pub baseline: Baseline,
    /// Whether known holders excuse growth. `--no-known-holders` turns it off.
    pub known_holders: bool,
    /// Known holders besides the built-in list.
    pub holders: Vec<Holder>,
}

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default.
    Default,
    /// A file and its line.
    Config(String),
    /// The command line.
    CommandLine,
}

impl Settings {
    /// Merges the options. The command line wins over the whole configuration, including overrides.
    pub fn resolve(args: &LeakArgs, config: Config, baseline: Baseline) -> Self {
        let (given, timeout) = (args.limits(), args.timeout);
        let without_given =
            |one: Override| Override { options: one.options.without(&given, timeout), ..one };
        let mut overrides: Vec<Override> =
            config.overrides.into_iter().map(without_given).collect();
        overrides.retain(|one| !one.options.is_empty());
        let layer = config.options;
        let configured = layer.places.into_iter().map(|(key, place)| (key, Origin::Config(place)));
        let mut origins: BTreeMap<&str, Origin> = configured.collect();
        let mut deny = args.deny.clone();
        if !deny.is_empty() {
            origins.insert(DENY, Origin::CommandLine);
        } else if let Some(Placed { value, place }) = config.deny {
            origins.insert(DENY, Origin::Config(place));
            deny = value;
        }
        deny.sort();
        deny.dedup();
        let mut programs = args.programs;
        if programs {
            origins.insert(PROGRAMS, Origin::CommandLine);
        } else if let Some(Placed { value, place }) = config.programs {
            origins.insert(PROGRAMS, Origin::Config(place));
            programs = value;
        }
        origins.extend(layer::given(&given, timeout).map(|(key, _)| (key, Origin::CommandLine)));
        Self {
            limits: given.over(layer.limits).over(defaults()),
            timeout: timeout.or(layer.timeout),
            deny,
            programs,
            origins,
            no_fail: args.no_fail,
            overrides,
            known_leaks: config.known_leaks,
            baseline,
            known_holders: !args.no_known_holders,
            holders: config.holders,
        }
    }

    /// The origin of an option's value, by its key.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// The time limit for a test without an override.
    pub fn timeout_seconds(&self) -> Option<f64> {
        self.timeout.map(|timeout| timeout.as_secs_f64())
    }

    /// The verdicts that fail.
    pub fn failing(&self) -> Vec<Verdict> {
        if self.no_fail {
            return Vec::new();
        }
        let verdicts = [Verdict::Leak, Verdict::Once, Verdict::Unconfirmed];
        verdicts.into_iter().filter(|verdict| Deny::fails(&self.deny, *verdict)).collect()
    }

    /// Whether this fails the run.
    pub fn fails_on(&self, what: Deny) -> bool {
        self.deny.contains(&what) && !self.no_fail
    }

    /// The overrides, for the harness.
    pub fn harness_overrides(&self) -> Vec<tracemalloc_harness::Override> {
        self.overrides.iter().map(Override::for_harness).collect()
    }

    /// The known holders, for the harness.
    pub fn harness_holders(&self) -> Vec<HolderRule> {
        if !self.known_holders {
            return Vec::new();
        }
        let built_in = KNOWN_HOLDERS.iter().map(|holder| HolderRule {
            is_thread: holder.is_thread,
            pattern: holder.pattern.to_owned(),
            only_with: holder.only_with.map(ToOwned::to_owned),
            allocated_by: holder.allocated_by.map(ToOwned::to_owned),
            reason: holder.reason.to_owned(),
        });
        built_in.chain(self.holders.iter().map(Holder::for_harness)).collect()
    }

    /// The leaks that are known by their fingerprint, for the front.
    pub fn known_ids(&self) -> Vec<KnownId> {
        let known = self.all_known_leaks();
        known.filter_map(|known| Some(known.with_id(known.id.clone()?))).collect()
    }

    /// The known leaks, for the harness. It knows no fingerprints.
    pub fn harness_known_leaks(&self) -> Vec<tracemalloc_harness::KnownLeak> {
        let by_pattern = self.known_leaks.iter().filter(|known| known.id.is_none());
        by_pattern.map(KnownLeak::for_harness).collect()
    }

    /// All known leaks: those of the configuration, and those of the baseline, unless the run
    /// writes it anew.
    pub fn all_known_leaks(&self) -> impl Iterator<Item = &KnownLeak> {
        let is_read = self.baseline.mode != Mode::Write;
        let baseline = self.baseline.leaks.iter().filter(move |_| is_read);
        self.known_leaks.iter().chain(baseline)
    }
}

/// The defaults of the options that have one.
fn defaults() -> Limits {
    let unset = Limits::new();
    let mut defaults = Limits::new().max_growth(unset.limit().max_growth);
    defaults.frames = Some(unset.frame_count());
    defaults.include = Some(Vec::new());
    defaults.exclude = Some(Vec::new());
    defaults.domain = Some(unset.counted());
    defaults
}

impl Override {
    fn for_harness(&self) -> tracemalloc_harness::Override {
        tracemalloc_harness::Override {
            package: self.package.clone(),
            test: self.test.clone(),
            limits: self.options.limits.clone(),
            timeout_seconds: self.options.timeout.map(|timeout| timeout.as_secs_f64()),
        }
    }
}

impl KnownLeak {
    fn for_harness(&self) -> tracemalloc_harness::KnownLeak {
        tracemalloc_harness::KnownLeak {
            package: self.package.clone(),
            test: self.test.clone(),
            file: self.file.clone(),
            function: self.function.clone(),
            known: self.known(),
        }
    }

    fn with_id(&self, id: String) -> KnownId {
        KnownId { id, max_growth: self.max_growth, known: self.known() }
    }

    /// The place and the reason, for the report.
    pub fn known(&self) -> Known {
        Known { place: self.place.clone(), reason: self.reason.clone() }
    }
}

impl From<&KnownId> for KnownLeak {
    fn from(known: &KnownId) -> Self {
        Self {
            place: known.known.place.clone(),
            id: Some(known.id.clone()),
            max_growth: known.max_growth,
            functions: Vec::new(),
            tests: Vec::new(),
            comment: None,
            package: None,
            test: None,
            file: None,
            function: None,
            reason: known.known.reason.clone(),
        }
    }
}

impl Holder {
    fn for_harness(&self) -> HolderRule {
        HolderRule {
            is_thread: self.of_thread.is_some(),
            pattern: self
                .of_thread
                .as_ref()
                .or(self.of_static.as_ref())
                .cloned()
                .unwrap_or_default(),
            only_with: None,
            allocated_by: None,
            reason: self.reason.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Default => "default",
            Self::Config(place) => place,
            Self::CommandLine => "command line",
        })
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
