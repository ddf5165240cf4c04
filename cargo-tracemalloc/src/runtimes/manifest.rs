//! The manifests of the packages that the command carries, for the workspace that it writes.
//!
//! In a checkout these manifests inherit from the workspace. In a published package cargo has
//! rewritten them. Both become the same here.

use toml::{Table, Value};

/// The runtime, which the command carries: its package, and its directory in the workspace.
pub const RUNTIME: &str = "tracemalloc-rt";
/// The harness, in the same way.
pub const HARNESS: &str = "tracemalloc-harness";
/// A package that the runtimes do not need, and the feature that would need it.
const LEFT_OUT: (&str, &str) = ("tracemalloc-macros", "macros");
/// The parts that a build needs.
const SECTIONS: [&str; 5] = ["package", "lib", "features", "dependencies", "target"];

/// The manifest of the workspace. `added` are directories of further members.
pub fn of_workspace(added: &[&str]) -> String {
    let members: Vec<&str> = [RUNTIME, HARNESS].into_iter().chain(added.iter().copied()).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        r#"[workspace]
resolver = "3"
members = {members:?}

[workspace.package]
version = "{version}"
edition = "2024"

[workspace.dependencies]
{RUNTIME} = {{ path = "{RUNTIME}", default-features = false }}
{HARNESS} = {{ path = "{HARNESS}" }}
"#
    )
}

/// The manifest of a package, without the parts for its own development.
pub fn of_package(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().expect("cargo has read this manifest");
    manifest.retain(|section, _| SECTIONS.contains(&section));
    let package = manifest["package"].as_table_mut().expect("a package has this table");
    package.retain(|key, _| key == "name");
    for key in ["version", "edition"] {
        let inherited = Table::from_iter([("workspace".to_owned(), Value::Boolean(true))]);
        package.insert(key.to_owned(), Value::Table(inherited));
    }
    // A published manifest names the file.
    if let Some(library) = manifest.get_mut("lib").and_then(Value::as_table_mut) {
        library.retain(|key, _| key == "name");
    }
    change_dependencies(&mut manifest);
    let targets = manifest.get_mut("target").and_then(Value::as_table_mut);
    for (_, target) in targets.into_iter().flatten() {
        change_dependencies(target.as_table_mut().expect("cargo has read this table"));
    }
    let (_, feature) = LEFT_OUT;
    if let Some(features) = manifest.get_mut("features").and_then(Value::as_table_mut) {
        features.remove(feature);
        for enabled in features.iter_mut().filter_map(|(_, enabled)| enabled.as_array_mut()) {
            enabled.retain(|name| name.as_str() != Some(feature));
        }
    }
    manifest.to_string()
}

/// Makes dependencies on carried packages those of the workspace.
fn change_dependencies(table: &mut Table) {
    table.remove("dev-dependencies");
    let Some(dependencies) = table.get_mut("dependencies").and_then(Value::as_table_mut) else {
        return;
    };
    dependencies.remove(LEFT_OUT.0);
    for (name, dependency) in dependencies {
        if let Value::String(version) = dependency {
            let version = [("version".to_owned(), Value::String(std::mem::take(version)))];
            *dependency = Value::Table(Table::from_iter(version));
        }
        let dependency = dependency.as_table_mut().expect("cargo has read this table");
        if [RUNTIME, HARNESS].contains(&name.as_str()) {
            dependency.retain(|key, _| ["features", "optional"].contains(&key));
            dependency.insert("workspace".to_owned(), Value::Boolean(true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of_package;

    #[test]
    fn a_published_manifest_and_that_of_the_checkout_become_the_same() {
        let checkout = r#"
            [package]
            name = "x"
            version.workspace = true
            readme = "README.md"
            [lib]
            name = "y"
            [features]
            default = ["a", "macros"]
            a = []
            macros = ["dep:tracemalloc-macros"]
            [dependencies]
            libc = "0.2"
            tracemalloc-macros = { workspace = true, optional = true }
            tracemalloc-rt = { workspace = true, features = ["_wire"] }
            [target.'cfg(windows)'.dependencies]
            tracemalloc-rt = { workspace = true, features = ["symbolize"] }
            [dev-dependencies]
            trybuild = "1"
        "#;
        let published = r#"
            [package]
            name = "x"
            version = "0.1.0"
            build = false
            [lib]
            name = "y"
            path = "src/lib.rs"
            [features]
            default = ["a", "macros"]
            a = []
            macros = ["dep:tracemalloc-macros"]
            [dependencies.libc]
            version = "0.2"
            [dependencies.tracemalloc-macros]
            version = "=0.1.0"
            optional = true
            [dependencies.tracemalloc-rt]
            version = "=0.1.0"
            features = ["_wire"]
            default-features = false
            [target."cfg(windows)".dependencies.tracemalloc-rt]
            version = "=0.1.0"
            features = ["symbolize"]
            default-features = false
            [target."cfg(windows)".dev-dependencies.trybuild]
            version = "1"
        "#;
        let manifest = of_package(checkout);
        assert_eq!(manifest, of_package(published));
        assert!(!manifest.contains("macros"), "{manifest}");
    }
}
