//! The options in effect, and where each value comes from: command line, configuration or default.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tracemalloc::internal::heap::KNOWN_HOLDERS;
use tracemalloc_harness::{HolderRule, Limit, Options, Verdict};

use crate::cli::{Deny, LeakArgs};
use crate::config::configuration::{Config, Holder, KnownLeak, Layer, Override};
use crate::config::document::Placed;

/// All options in effect.
#[derive(Debug)]
pub struct Settings {
    /// `--max-growth`.
    pub max_growth: Setting<u64>,
    /// `--max-blocks`.
    pub max_blocks: Setting<Option<u64>>,
    /// `--runs`.
    pub runs: Setting<Option<u32>>,
    /// `--frames`.
    pub frames: Setting<u32>,
    /// `--include`.
    pub include: Setting<Vec<String>>,
    /// `--exclude`.
    pub exclude: Setting<Vec<String>>,
    /// `--timeout`.
    pub timeout: Setting<Option<Duration>>,
    /// `--deny`, sorted.
    pub deny: Setting<Vec<Deny>>,
    /// `--no-fail`.
    pub no_fail: bool,
    /// Options for some tests, without those that the command line sets for all.
    pub overrides: Vec<Override>,
    /// Leaks that do not fail a test.
    pub known_leaks: Vec<KnownLeak>,
    /// Whether known holders excuse growth. `--no-known-holders` turns it off.
    pub known_holders: bool,
    /// Known holders besides the built-in list.
    pub holders: Vec<Holder>,
}

/// The value of an option, with its origin.
#[derive(Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The origin.
    pub origin: Origin,
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
    pub fn resolve(args: &LeakArgs, mut config: Config) -> Self {
        for one in &mut config.overrides {
            remove_given(&mut one.options, args);
        }
        config.overrides.retain(|one| !one.options.is_empty());
        let default = Options::default();
        let options = config.options;
        let mut deny = Setting::of(given(&args.deny), config.deny, Vec::new());
        deny.value.sort();
        deny.value.dedup();
        Self {
            max_growth: Setting::of(args.max_growth, options.max_growth, default.limit.max_growth),
            max_blocks: Setting::of_optional(args.max_blocks, options.max_blocks),
            runs: Setting::of_optional(args.runs, options.runs),
            frames: Setting::of(args.frames, options.frames, default.frames),
            include: Setting::of(given(&args.include), options.include, default.include),
            exclude: Setting::of(given(&args.exclude), options.exclude, default.exclude),
            timeout: Setting::of_optional(args.timeout, options.timeout),
            deny,
            no_fail: args.no_fail,
            overrides: config.overrides,
            known_leaks: config.known_leaks,
            known_holders: !args.no_known_holders,
            holders: config.holders,
        }
    }

    /// The options for a test without an override.
    pub fn options(&self) -> Options {
        Options {
            limit: Limit { max_growth: self.max_growth.value, max_blocks: self.max_blocks.value },
            runs: self.runs.value,
            frames: self.frames.value,
            include: self.include.value.clone(),
            exclude: self.exclude.value.clone(),
        }
    }

    /// The time limit for a test without an override.
    pub fn timeout_seconds(&self) -> Option<f64> {
        self.timeout.value.map(|timeout| timeout.as_secs_f64())
    }

    /// The verdicts that fail.
    pub fn failing(&self) -> Vec<Verdict> {
        if self.no_fail {
            return Vec::new();
        }
        let denied = self.deny.value.iter().map(|deny| match deny {
            Deny::Once => Verdict::Once,
            Deny::Unconfirmed => Verdict::Unconfirmed,
        });
        denied.chain([Verdict::Leak]).collect()
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
            reason: holder.reason.to_owned(),
        });
        built_in.chain(self.holders.iter().map(Holder::for_harness)).collect()
    }

    /// The known leaks, for the harness.
    pub fn harness_known_leaks(&self) -> Vec<tracemalloc_harness::KnownLeak> {
        self.known_leaks.iter().map(KnownLeak::for_harness).collect()
    }
}

impl<T> Setting<T> {
    fn of(given: Option<T>, configured: Option<Placed<T>>, default: T) -> Self {
        match (given, configured) {
            (Some(value), _) => Self { value, origin: Origin::CommandLine },
            (None, Some(Placed { value, place })) => Self { value, origin: Origin::Config(place) },
            (None, None) => Self { value: default, origin: Origin::Default },
        }
    }
}

impl<T> Setting<Option<T>> {
    fn of_optional(given: Option<T>, configured: Option<Placed<T>>) -> Self {
        let configured =
            configured.map(|Placed { value, place }| Placed { value: Some(value), place });
        Self::of(given.map(Some), configured, None)
    }
}

/// A repeatable option that is absent is not given.
fn given<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    if values.is_empty() { None } else { Some(values.to_owned()) }
}

fn remove_given(options: &mut Layer, args: &LeakArgs) {
    options.max_growth.take_if(|_| args.max_growth.is_some());
    options.max_blocks.take_if(|_| args.max_blocks.is_some());
    options.runs.take_if(|_| args.runs.is_some());
    options.frames.take_if(|_| args.frames.is_some());
    options.include.take_if(|_| !args.include.is_empty());
    options.exclude.take_if(|_| !args.exclude.is_empty());
    options.timeout.take_if(|_| args.timeout.is_some());
}

impl Override {
    fn for_harness(&self) -> tracemalloc_harness::Override {
        let Layer { max_growth, max_blocks, runs, frames, include, exclude, timeout } =
            &self.options;
        tracemalloc_harness::Override {
            package: self.package.clone(),
            test: self.test.clone(),
            max_growth: value(max_growth),
            max_blocks: value(max_blocks),
            runs: value(runs),
            frames: value(frames),
            include: value(include),
            exclude: value(exclude),
            timeout_seconds: value(timeout).map(|timeout| timeout.as_secs_f64()),
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
            known: tracemalloc_harness::Known {
                place: self.place.clone(),
                reason: self.reason.clone(),
            },
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
            reason: self.reason.clone(),
        }
    }
}

fn value<T: Clone>(placed: &Option<Placed<T>>) -> Option<T> {
    placed.as_ref().map(|placed| placed.value.clone())
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
