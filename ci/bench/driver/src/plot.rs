//! The multiples of the untraced time as bars, on a logarithmic scale, in an SVG.

use std::fmt::Write as _;

use anyhow::Result;
use camino::Utf8Path;

use crate::results::{self, Group, Results, Row};

/// The picture's name.
pub const FILE: &str = "results.svg";

const LEFT: f64 = 130.0;
const WIDTH: f64 = 560.0;
const BAR: f64 = 11.0;
const GAP: f64 = 9.0;
const TOP: f64 = 40.0;
/// The axis ends at 10 to this power.
const DECADES: f64 = 3.0;
/// A colour for each tracer, in the order of the rows; ours is the first.
const COLOURS: [&str; 6] = ["#d55e00", "#56b4e9", "#009e73", "#0072b2", "#cc79a7", "#999999"];

/// Draws and writes it.
pub fn write(results: &Results, directory: &Utf8Path) -> Result<()> {
    let rows: Vec<&Row> = results.rows.iter().filter(|row| row.group == Group::Time).collect();
    results::write(&directory.join(FILE), &drawn(&rows)?)
}

fn drawn(rows: &[&Row]) -> Result<String> {
    let names = results::distinct(rows, |row| &row.name);
    let peers = results::distinct(rows, |row| &row.peer);
    let mut bars = String::new();
    let mut y = TOP;
    for name in names {
        let start = y;
        for row in rows.iter().filter(|row| row.name == name) {
            let place = peers.iter().position(|peer| *peer == row.peer).unwrap_or(0);
            let (length, colour) = (x(row.compared) - LEFT, COLOURS[place % COLOURS.len()]);
            writeln!(
                bars,
                r#"<rect x="{LEFT}" y="{y}" width="{length:.1}" height="{BAR}" fill="{colour}"/>"#
            )?;
            let label = format!("{:.1} {}", row.compared, row.peer);
            writeln!(
                bars,
                r#"<text x="{:.1}" y="{:.1}">{label}</text>"#,
                LEFT + length + 4.0,
                y + BAR - 2.0
            )?;
            y += BAR + 1.0;
        }
        let middle = f64::midpoint(start, y) + 3.0;
        writeln!(
            bars,
            r#"<text x="{}" y="{middle:.1}" text-anchor="end" font-weight="bold">{name}</text>"#,
            LEFT - 8.0
        )?;
        y += GAP;
    }
    let mut axis = String::new();
    for tick in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
        let x = x(tick);
        writeln!(
            axis,
            r##"<line x1="{x:.1}" y1="{}" x2="{x:.1}" y2="{y}" stroke="#ddd"/>"##,
            TOP - 6.0
        )?;
        writeln!(
            axis,
            r#"<text x="{x:.1}" y="{}" text-anchor="middle">{tick}</text>"#,
            TOP - 10.0
        )?;
    }
    let (width, height) = (LEFT + WIDTH + 110.0, y + 6.0);
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="9">
<rect width="100%" height="100%" fill="#fff"/>
<text x="{LEFT}" y="14" font-size="12">Time as a multiple of the same work untraced (less is better, logarithmic)</text>
{axis}{bars}</svg>
"##
    ))
}

/// Where a multiple is on the axis.
fn x(multiple: f64) -> f64 {
    LEFT + WIDTH * (multiple.max(1.0).log10() / DECADES).min(1.0)
}
