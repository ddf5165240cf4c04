//! A flame graph: an SVG in which a frame is as wide as the memory below it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use inferno::flamegraph::{Direction, Options, from_lines};

use crate::cli::Unit;
use crate::output::exports::folded;
use crate::profile::Profile;

/// In a page, frames below this percentage are left out.
const SMALLEST_IN_PAGE: f64 = 0.1;
/// The width of a graph in a page, in pixels.
pub const WIDTH: usize = 1200;
/// The height of a graph without its frames, in pixels.
const MARGINS: usize = 74;

/// Renders a profile. With an older one, the colours tell the change.
pub fn render(profile: &Profile, old: Option<&Profile>, unit: Unit) -> Result<Vec<u8>> {
    draw(&mut options(profile, old, unit), &lines(profile, old, unit))
}

/// A graph for a page.
pub struct Embedded {
    /// The SVG, [`WIDTH`] wide.
    pub svg: String,
    /// Its height.
    pub height: usize,
}

/// The graph of a profile's bytes, for a page; `None` without memory.
pub fn embedded(profile: &Profile) -> Result<Option<Embedded>> {
    if profile.sum(Unit::Bytes) == 0 {
        return Ok(None);
    }
    let mut options = options(profile, None, Unit::Bytes);
    options.min_width = SMALLEST_IN_PAGE;
    options.image_width = Some(WIDTH);
    let svg = draw(&mut options, &lines(profile, None, Unit::Bytes))?;
    let svg = String::from_utf8(svg).context("the flame graph is not UTF-8")?;
    let deepest = profile.stacks.iter().map(|stack| stack.frames.len()).max().unwrap_or(0);
    Ok(Some(Embedded { svg, height: MARGINS + (deepest + 1) * options.frame_height }))
}

fn draw(options: &mut Options<'_>, lines: &[String]) -> Result<Vec<u8>> {
    let mut svg = Vec::new();
    from_lines(options, lines.iter().map(String::as_str), &mut svg)
        .context("failed to draw the flame graph")?;
    Ok(svg)
}

fn options(profile: &Profile, old: Option<&Profile>, unit: Unit) -> Options<'static> {
    let mut options = Options::default();
    options.direction = Direction::Inverted;
    options.deterministic = true;
    options.hash = true;
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
    options
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
