//! Some inputs for each target, always the same ones.

use fuzz::{TARGETS, configuration, inputs, snapshot, wire};

/// Some seconds for all targets together.
const INPUTS: u32 = 20_000;

/// Checks one target. Inputs that are made of invalid seeds would all end at the first error, so
/// the tests check the seeds before.
fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    inputs::check(target, INPUTS);
}

#[test]
fn configurations() {
    assert!(!configuration::seeds().is_empty());
    for seed in configuration::seeds() {
        configuration::read(&seed).unwrap();
    }
    check("configuration");
}

#[test]
fn patterns() {
    check("fnmatch");
}

#[test]
fn fragments() {
    check("fragment");
}

#[test]
fn sizes() {
    check("size");
}

#[test]
fn snapshots() {
    assert!(snapshot::seeds().iter().all(|seed| snapshot::load(seed).is_some()));
    check("snapshot");
}

#[test]
fn messages() {
    assert!(wire::seeds_are_values());
    check("wire");
}
