//! A flame graph: an SVG in which a frame is as wide as the memory below it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use inferno::flamegraph::{Direction, Options, from_lines};

use crate::cli::Unit;
use crate::output::exports::folded;
use crate::profile::Profile;

/// Renders a profile. With an older one, the colours tell the change.
pub fn render(profile: &Profile, old: Option<&Profile>, unit: Unit) -> Result<Vec<u8>> {
    let mut options = Options::default();
    options.direction = Direction::Inverted;
    options.deterministic = true;
    options.hash = true;
    title(&mut options, profile, old, unit);
    let lines = lines(profile, old, unit);
    let mut svg = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .context("failed to draw the flame graph")?;
    Ok(svg)
}

fn title(options: &mut Options<'_>, profile: &Profile, old: Option<&Profile>, unit: Unit) {
    let unit_name = match unit {
        Unit::Bytes => "bytes",
        Unit::Blocks => "blocks",
    };
    options.title = profile.title.to_owned();
    options.count_name = unit_name.to_owned();
    options.subtitle = old.map(|old| {
        let (before, now) = (old.sum(unit), profile.sum(unit));
        format!("{before} {unit_name} before, {now} now; red grew, blue shrank")
    });
}

/// Folded stacks. A differential graph has two weights on a line, the older first.
fn lines(profile: &Profile, old: Option<&Profile>, unit: Unit) -> Vec<String> {
    let Some(old) = old else {
        let weighted =
            profile.stacks.iter().map(|stack| folded::line(stack, &[stack.weight(unit)]));
        return weighted.collect();
    };
    let mut weights: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for (index, profile) in [old, profile].into_iter().enumerate() {
        for stack in &profile.stacks {
            weights.entry(folded::line(stack, &[])).or_default()[index] += stack.weight(unit);
        }
    }
    weights.into_iter().map(|(stack, [old, new])| format!("{stack} {old} {new}")).collect()
}
