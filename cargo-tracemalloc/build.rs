//! Finds the lock file for the dependencies of the runtimes. The command carries it.
//!
//! In a checkout it lies beside the workspace's manifest, in a published package beside this file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Packages that the command carries. A registry must not provide them.
const CARRIED: [&str; 2] = ["tracemalloc-rt", "tracemalloc-harness"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // The lock file above a published package is not this workspace's.
    let in_checkout = package.join("harness/Cargo.toml").exists();
    let lock = package.join(if in_checkout { "../Cargo.lock" } else { "Cargo.lock" });
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = reduced(read(&lock), &lock);
    fs::write(out_dir.join("Cargo.lock"), text).expect("OUT_DIR is writable");
}

/// The lock file, with the carried packages as members of a workspace.
fn reduced(text: String, path: &Path) -> String {
    let mut lock: Table =
        text.parse().unwrap_or_else(|error| panic!("parse {}: {error}", path.display()));
    let packages = lock.get_mut("package").and_then(Value::as_array_mut);
    for package in packages.into_iter().flatten().filter_map(Value::as_table_mut) {
        if package["name"].as_str().is_some_and(|name| CARRIED.contains(&name)) {
            package.remove("source");
            package.remove("checksum");
        }
    }
    lock.to_string()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}
