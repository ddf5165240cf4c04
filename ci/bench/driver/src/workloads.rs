//! Workloads, each under every tracer in turn.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::build::Builds;
use crate::case::Case;
use crate::child::{self, Run};
use crate::peer::{self, Peer, UNTRACED};
use crate::results::{Comparison, Group, Row};
use crate::statistics::median;

/// Measures one case. In each round every tracer runs once, so that a busy machine slows all alike.
pub fn measure(case: &Case, quick: bool, builds: &mut Builds) -> Result<Vec<Row>> {
    let workload = case.workload;
    let peers = peer::peers(workload, quick);
    // Before the first measurement, which it would disturb.
    for peer in peers.iter().chain([&UNTRACED]) {
        builds.path(peer.binary, case.profile)?;
    }
    eprintln!("bench: {}", case.name);
    let mut run = |peer: &Peer, parts: usize| -> Result<Run> {
        let path = builds.path(peer.binary, case.profile)?;
        let scratch = tempfile::tempdir().context("failed to make a temporary directory")?;
        let scratch =
            Utf8Path::from_path(scratch.path()).context("the temporary directory is not UTF-8")?;
        child::run(&mut peer.command(&path, workload, parts, scratch))
    };
    let mut runs: BTreeMap<&str, Vec<(Run, Run)>> = BTreeMap::new();
    let rounds = |peer: &Peer| peer.rounds(workload).rounds;
    for round in 0..peers.iter().map(rounds).max().unwrap_or(0) {
        let mut untraced = BTreeMap::new();
        for peer in peers.iter().filter(|peer| round < rounds(peer)) {
            let parts = peer.rounds(workload).parts;
            let untraced = match untraced.get(&parts) {
                Some(run) => *run,
                None => *untraced.entry(parts).or_insert(run(&UNTRACED, parts)?),
            };
            let traced = run(peer, parts)?;
            runs.entry(peer.name).or_default().push((untraced, traced));
        }
    }
    let (group, comparison) = match case.is_time() {
        true => (Group::Time, Comparison::Ratio),
        false => (Group::Memory, Comparison::Difference),
    };
    peers
        .iter()
        .map(|peer| {
            let figure = |run: &Run| peer.figure(workload, *run);
            let runs = &runs[peer.name];
            let pairs: Vec<_> =
                runs.iter().map(|(untraced, traced)| (figure(untraced), figure(traced))).collect();
            let mut row =
                Row::new(group, &case.name, peer.name, UNTRACED.name, comparison, &pairs)?;
            row.what = case.what();
            row.parts = peer.rounds(workload).parts;
            row.by_wall = peer.is_by_wall(workload);
            if case.is_time() && !row.by_wall {
                let processor =
                    |(untraced, traced): &(Run, Run)| Some(traced.processor? / untraced.processor?);
                let blocks = workload.blocks.map(|blocks| blocks as f64 / row.parts as f64);
                row.nanoseconds_a_block =
                    blocks.map(|blocks| (row.median - row.baseline_median) / blocks * 1e9);
                row.processor = runs.iter().map(processor).collect::<Option<Vec<_>>>().map(median);
            }
            row.goal = case.goal().filter(|_| peer.name == peer::OURS.name);
            Ok(row)
        })
        .collect()
}
