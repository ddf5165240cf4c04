//! Embeds the sources of the runtimes: runtime, harness, and the lock file for their dependencies.
//!
//! The command builds them on the user's machine with the user's compiler, so each released binary
//! carries them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The embedded packages, by directory. Their relative places stay, so that path dependencies work.
const PACKAGES: [&str; 2] = ["tracemalloc-rt", "cargo-tracemalloc/harness"];
/// A package that the runtimes do not need, and the feature that would need it.
const LEFT_OUT: (&str, &str) = ("tracemalloc-macros", "macros");
/// Packages that the command adds.
const ADDED: [&str; 3] = ["traced", "interposed", "program"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut table = String::from("&[\n");
    let mut embed = |name: &str, source: &Path| {
        writeln!(table, "    ({name:?}, include_bytes!({source:?})),")
            .expect("a string takes what is written");
    };

    let manifests = out_dir.join("manifests");
    fs::create_dir_all(&manifests).expect("OUT_DIR is writable");
    let mut generated = |name: &str, manifest: Table| {
        let path = manifests.join(name.replace('/', "_"));
        fs::write(&path, manifest.to_string()).expect("OUT_DIR is writable");
        embed(name, &path);
    };
    generated("Cargo.toml", root_manifest(read_manifest(&root.join("Cargo.toml"))));
    for package in PACKAGES {
        let manifest = read_manifest(&root.join(package).join("Cargo.toml"));
        generated(&format!("{package}/Cargo.toml"), package_manifest(manifest));
    }

    for package in PACKAGES {
        let mut files = Vec::new();
        walk(&root.join(package).join("src"), &mut files);
        files.sort();
        for file in files {
            let name = file.strip_prefix(&root).expect("walked from the root");
            let name =
                name.to_str().expect("names in this repository are UTF-8").replace('\\', "/");
            embed(&name, &file);
        }
    }
    let lock = root.join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    embed("Cargo.lock", &lock);

    table.push(']');
    fs::write(out_dir.join("embedded.rs"), table).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed=build.rs");
}

/// The manifest of the reduced workspace.
fn root_manifest(mut manifest: Table) -> Table {
    let workspace = manifest["workspace"].as_table_mut().expect("the root is a workspace");
    workspace.remove("exclude");
    workspace.remove("lints");
    if let Some(dependencies) = workspace.get_mut("dependencies").and_then(Value::as_table_mut) {
        dependencies.remove(LEFT_OUT.0);
    }
    let members = PACKAGES.into_iter().chain(ADDED).map(|member| Value::String(member.to_owned()));
    workspace.insert("members".to_owned(), Value::Array(members.collect()));
    manifest.retain(|section, _| section == "workspace");
    manifest
}

/// A package's manifest without the parts for its own development.
fn package_manifest(mut manifest: Table) -> Table {
    manifest.retain(|section, _| {
        ["package", "lib", "features", "dependencies", "target"].contains(&section)
    });
    let (package, feature) = LEFT_OUT;
    if let Some(dependencies) = manifest.get_mut("dependencies").and_then(Value::as_table_mut) {
        dependencies.remove(package);
    }
    if let Some(features) = manifest.get_mut("features").and_then(Value::as_table_mut) {
        features.remove(feature);
        for enabled in features.iter_mut().filter_map(|(_, enabled)| enabled.as_array_mut()) {
            enabled.retain(|name| name.as_str() != Some(feature));
        }
    }
    manifest
}

fn read_manifest(path: &Path) -> Table {
    println!("cargo::rerun-if-changed={}", path.display());
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("parse {}: {error}", path.display()))
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", dir.display());
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("list {}: {error}", dir.display()))
    {
        let path = entry.expect("an entry of a directory").path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
}
