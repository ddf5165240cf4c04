//! The packages that cargo selects, by the rules of its documentation.

use cargo_metadata::{Metadata, Package};

use crate::cli::CargoOptions;
use crate::report::kind::Kind;

/// Whether cargo runs every test of the workspace.
pub fn is_whole_suite(options: &CargoOptions, metadata: &Metadata) -> bool {
    let selected = || {
        metadata
            .workspace_packages()
            .into_iter()
            .all(|package| is_selected(package, options, metadata))
    };
    !options.selects_tests() && selected()
}

/// Whether cargo runs the tests of a target, in a package that it selects.
pub fn selects_target(options: &CargoOptions, kind: Kind, name: &str) -> bool {
    // An option without a value makes cargo list the names, and fail.
    let named = |names: &[String]| names.iter().any(|pattern| matches(pattern, name));
    if !options.selects_targets() {
        return !options.doc;
    }
    options.all_targets
        || match kind {
            Kind::Lib => options.lib || options.tests,
            Kind::Bin => options.bins || options.tests || named(&options.bin),
            Kind::Test => options.tests || named(&options.test),
            Kind::Example => options.examples || options.tests || named(&options.example),
            Kind::Bench => options.benches || named(&options.bench),
            // Integration tests start programs.
            Kind::Program => options.tests || !options.test.is_empty(),
            Kind::Doctest => false,
        }
}

/// Whether cargo selects a package.
pub fn is_selected(package: &Package, options: &CargoOptions, metadata: &Metadata) -> bool {
    let named = |specs: &[String]| specs.iter().any(|spec| matches(spec, &package.name));
    if options.workspace || options.all {
        return !named(&options.exclude_package);
    }
    if !options.package.is_empty() {
        return named(&options.package);
    }
    // In a member's directory cargo selects that member, elsewhere the default members.
    let here = metadata.root_package();
    match here {
        Some(here) if here.manifest_path.parent() != Some(&metadata.workspace_root) => {
            here.id == package.id
        }
        _ => metadata.workspace_default_packages().iter().any(|member| member.id == package.id),
    }
}

/// Whether a package id specification names a package: `serde`, `serde@1.0`,
/// `path+file:///x/serde#1.0`, `ser*`.
fn matches(spec: &str, name: &str) -> bool {
    let last = spec.rsplit('/').next().unwrap_or(spec);
    let spec = match last.split_once('#') {
        Some((_, fragment))
            if fragment.starts_with(|character: char| !character.is_ascii_digit()) =>
        {
            fragment
        }
        Some((dir, _)) => dir,
        None => last,
    };
    let spec = spec.split(['@', ':']).next().unwrap_or(spec);
    match spec.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => spec == name,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn specifications_name_packages() {
        for spec in [
            "serde",
            "serde@1.0.2",
            "serde:1",
            "ser*",
            "path+file:///x/serde#1.0",
            "registry+https://a/b#serde@1",
        ] {
            assert!(matches(spec, "serde"), "{spec}");
        }
        assert!(!matches("serde_json", "serde"));
    }
}
