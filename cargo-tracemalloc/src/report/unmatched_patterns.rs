//! Warnings about patterns that match nothing. A wrong pattern must not read like a clean run.

use std::collections::BTreeSet;

use camino::Utf8Path;
use cargo_metadata::Metadata;
use tracemalloc::fnmatchcase;
use tracemalloc_harness::Prefix;

use crate::config::Settings;
use crate::report::document::Target;
use crate::util::nearest_name::nearest;

/// The first directories of the standard library's files, as reports name them.
const OF_STD: [&str; 6] = ["alloc", "core", "hashbrown", "proc_macro", "std", "test"];

/// A pattern and its place: `--include`, `tracemalloc.toml:3`, the name of a test.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed<'a> {
    place: String,
    key: &'static str,
    pattern: &'a str,
}

/// Warnings about patterns for packages that match no package of the workspace.
pub fn of_packages(settings: &Settings, metadata: &Metadata) -> Vec<String> {
    let packages = metadata.workspace_packages();
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let overrides = settings.overrides.iter().map(|one| (&one.place, &one.package));
    let known_leaks = settings.known_leaks.iter().map(|one| (&one.place, &one.package));
    let mut warnings: Vec<String> = overrides
        .chain(known_leaks)
        .filter_map(|(place, pattern)| Some((place, pattern.as_deref()?)))
        .filter(|(_, pattern)| !matches_any(pattern, &names))
        .map(|(place, pattern)| {
            let placed = Placed { place: place.clone(), key: "package", pattern };
            placed.warning("package of the workspace", &names)
        })
        .collect();
    for (key, patterns) in
        [("include", &settings.limits.include), ("exclude", &settings.limits.exclude)]
    {
        let origin = settings.origin(key);
        for name in patterns.iter().flatten().filter(|pattern| names.contains(&pattern.as_str())) {
            let other = match key {
                "exclude" => format!("`--exclude-package {name}` is cargo's `--exclude {name}`"),
                _ => format!("`--package {name}` selects the package"),
            };
            warnings.push(format!(
                "the pattern `{name}` of `{key}` ({origin}) is for files, and `{name}` is a package; {other}"
            ));
        }
    }
    warnings
}

/// Warnings about patterns for tests that match no test. All tests of the workspace have run.
pub fn of_tests(settings: &Settings, targets: &[Target]) -> Vec<String> {
    // An untraced target has no list of its tests.
    if targets.iter().any(|target| !target.traced) {
        return Vec::new();
    }
    let tests: Vec<(&str, &str)> = targets
        .iter()
        .flat_map(|target| target.tests.iter().map(|test| (&*target.package, &*test.name)))
        .collect();
    let overrides = settings.overrides.iter().map(|one| (&one.place, &one.package, &one.test));
    let known_leaks = settings.known_leaks.iter().map(|one| (&one.place, &one.package, &one.test));
    overrides
        .chain(known_leaks)
        .filter_map(|(place, package, test)| Some((place, package.as_deref(), test.as_deref()?)))
        .filter_map(|(place, package, pattern)| {
            let is_of_package = |name: &str| package.is_none_or(|one| fnmatchcase(name, one));
            let names: Vec<&str> =
                tests.iter().filter(|(of, _)| is_of_package(of)).map(|&(_, name)| name).collect();
            // Where the package is wrong, that is the warning.
            if names.is_empty() || matches_any(pattern, &names) {
                return None;
            }
            let placed = Placed { place: place.clone(), key: "test", pattern };
            Some(placed.warning("test", &names))
        })
        .collect()
}

/// Warnings about patterns for files that match no source file and no frame.
pub fn of_files(
    settings: &Settings,
    metadata: &Metadata,
    prefixes: &[Prefix],
    targets: &[Target],
) -> Vec<String> {
    let packages: BTreeSet<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let mut unmatched = file_patterns(settings, targets);
    unmatched.retain(|placed| {
        let first = placed.pattern.split('/').next().unwrap_or_default();
        !packages.contains(placed.pattern) && !OF_STD.iter().any(|name| first.starts_with(name))
    });
    if unmatched.is_empty() {
        return Vec::new();
    }
    let tests = targets.iter().flat_map(|target| &target.tests);
    let frames = tests.flat_map(|test| &test.growth).flat_map(|growth| &growth.traceback);
    let mut files: BTreeSet<String> = frames.map(|frame| frame.file.clone()).collect();
    add_sources(&metadata.workspace_root, prefixes, &mut files);
    for package in metadata.workspace_packages() {
        let dir = package.manifest_path.parent();
        if let Some(dir) = dir.filter(|dir| !dir.starts_with(&metadata.workspace_root)) {
            add_sources(dir, prefixes, &mut files);
        }
    }
    let of_workspace: Vec<&str> = files.iter().map(String::as_str).collect();
    unmatched.retain(|placed| !matches_any(placed.pattern, &of_workspace));
    if unmatched.is_empty() {
        return Vec::new();
    }
    let mut of_dependencies = BTreeSet::new();
    for package in metadata.packages.iter().filter(|one| !packages.contains(one.name.as_str())) {
        if let Some(dir) = package.manifest_path.parent() {
            add_sources(dir, prefixes, &mut of_dependencies);
        }
    }
    let of_dependencies: Vec<&str> = of_dependencies.iter().map(String::as_str).collect();
    unmatched.retain(|placed| !matches_any(placed.pattern, &of_dependencies));
    unmatched.iter().map(|placed| placed.warning("source file", &of_workspace)).collect()
}

/// The patterns of the options, of the overrides, and of the tests' own checks.
fn file_patterns<'a>(settings: &'a Settings, targets: &'a [Target]) -> BTreeSet<Placed<'a>> {
    let of_limits = |limits: &'a tracemalloc::Limits, place: &dyn Fn(&str) -> String| {
        let patterns = [("include", &limits.include), ("exclude", &limits.exclude)];
        let patterns = patterns
            .into_iter()
            .flat_map(|(key, patterns)| patterns.iter().flatten().map(move |one| (key, one)));
        let placed = patterns.map(|(key, pattern)| Placed { place: place(key), key, pattern });
        placed.collect::<Vec<_>>()
    };
    let mut patterns: BTreeSet<Placed<'a>> =
        of_limits(&settings.limits, &|key| settings.origin(key).to_string()).into_iter().collect();
    for one in &settings.overrides {
        patterns.extend(of_limits(&one.options.limits, &|_| one.place.clone()));
    }
    for test in targets.iter().flat_map(|target| &target.tests) {
        if let Some(check) = &test.check {
            patterns.extend(of_limits(check, &|_| format!("the check of {}", test.name)));
        }
    }
    for one in &settings.known_leaks {
        if let Some(pattern) = &one.file {
            patterns.insert(Placed { place: one.place.clone(), key: "file", pattern });
        }
    }
    patterns
}

impl Placed<'_> {
    /// ``the pattern `dmo` of `package` (tracemalloc.toml:3) matches no package``
    fn warning(&self, kind: &str, names: &[&str]) -> String {
        let Self { place, key, pattern } = self;
        let literal: String = pattern.chars().filter(|c| !matches!(c, '*' | '?')).collect();
        let hint = nearest(&literal, names.iter().copied())
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        format!("the pattern `{pattern}` of `{key}` ({place}) matches no {kind}{hint}")
    }
}

fn matches_any(pattern: &str, names: &[&str]) -> bool {
    names.iter().any(|name| fnmatchcase(name, pattern))
}

/// Adds the Rust files below a directory, named as in the report. Leaves out cargo's target
/// directories, and hidden ones.
fn add_sources(dir: &Utf8Path, prefixes: &[Prefix], files: &mut BTreeSet<String>) {
    let Ok(entries) = dir.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        // A link may lead round in a circle.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_file() && path.extension() == Some("rs") {
            files.insert(Prefix::shorten(path.as_str(), prefixes));
        } else if kind.is_dir()
            && !entry.file_name().starts_with('.')
            && !path.join("CACHEDIR.TAG").exists()
        {
            add_sources(path, prefixes, files);
        }
    }
}
