//! The results, as a JSON document. A row stays until the same is measured again, so that parts can
//! be measured one by one.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::case;
use crate::machine::{self, Machine};
use crate::peer;
use crate::statistics::median;

/// The document's name.
pub const FILE: &str = "results.json";

/// The kind of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Seconds of a workload.
    Time,
    /// Bytes for each live block.
    Memory,
    /// Seconds of a snapshot's statistics.
    Snapshot,
    /// Seconds of whole test suites.
    Suite,
    /// Seconds of a first build.
    FirstBuild,
}

/// The way in which a value is compared with the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// By what it is a multiple of it.
    Ratio,
    /// By how much it is more.
    Difference,
}

/// One thing that was measured, of one tracer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Its kind.
    pub group: Group,
    /// Its name.
    pub name: String,
    /// Its description.
    pub what: String,
    /// The tracer.
    pub peer: String,
    /// The baseline.
    pub baseline: String,
    /// Into how many parts the work was divided, of which both did one.
    pub parts: usize,
    /// True if the whole process counts, for both.
    pub by_wall: bool,
    /// Seconds or bytes, one of each round.
    pub values: Vec<f64>,
    /// The same of the baseline, in the same rounds.
    pub baseline_values: Vec<f64>,
    /// The median of `values`.
    pub median: f64,
    /// The median of `baseline_values`.
    pub baseline_median: f64,
    /// The origin of the following three.
    pub comparison: Comparison,
    /// The median, over the rounds, of the value divided by that of the baseline.
    pub compared: f64,
    /// The least of them.
    pub least: f64,
    /// The greatest of them.
    pub greatest: f64,
    /// The median of processor seconds divided by those of the baseline, if both have them. A busy
    /// machine changes it less.
    pub processor: Option<f64>,
    /// Nanoseconds more than the baseline for each block that was allocated and freed, by the
    /// medians, for workloads that do nothing else.
    pub nanoseconds_a_block: Option<f64>,
    /// The goal for `compared`.
    pub goal: Option<f64>,
    /// A remark, such as that it was stopped.
    pub note: Option<String>,
    /// The day, as YYYY-MM-DD.
    pub date: String,
}

impl Row {
    /// From one pair of values (baseline, peer) of each round.
    pub fn new(
        group: Group,
        name: &str,
        peer: &str,
        baseline: &str,
        comparison: Comparison,
        pairs: &[(f64, f64)],
    ) -> Result<Self> {
        let compared: Vec<f64> = pairs
            .iter()
            .map(|(baseline, value)| match comparison {
                Comparison::Ratio => value / baseline,
                Comparison::Difference => value - baseline,
            })
            .collect();
        let (baseline_values, values): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Ok(Self {
            group,
            name: name.to_owned(),
            what: String::new(),
            peer: peer.to_owned(),
            baseline: baseline.to_owned(),
            parts: 1,
            by_wall: false,
            median: median(values.iter().copied()),
            baseline_median: median(baseline_values.iter().copied()),
            values,
            baseline_values,
            comparison,
            compared: median(compared.iter().copied()),
            least: compared.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: compared.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            processor: None,
            nanoseconds_a_block: None,
            goal: None,
            note: None,
            date: machine::today()?,
        })
    }
}

/// The document.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where it was measured.
    pub machine: Machine,
    /// The figures.
    pub rows: Vec<Row>,
}

impl Results {
    /// Earlier results of this machine; none if they are from another one.
    pub fn read(directory: &Utf8Path) -> Result<Self> {
        let machine = Machine::this()?;
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok(Self { machine, rows: Vec::new() });
        }
        let results: Self = serde_json::from_str(&fs::read_to_string(&path)?)
            .with_context(|| format!("failed to read {path}"))?;
        let rows = if results.machine == machine { results.rows } else { Vec::new() };
        Ok(Self { machine, rows })
    }

    /// Takes rows in place of those of the same name and tracer.
    pub fn take(&mut self, rows: &[Row]) {
        let same = |old: &Row, new: &Row| {
            (old.group, &old.name, &old.peer) == (new.group, &new.name, &new.peer)
        };
        self.rows.retain(|old| !rows.iter().any(|new| same(old, new)));
        self.rows.extend(rows.iter().cloned());
        self.rows
            .sort_by_key(|row| (row.group, case::position(&row.name), peer::position(&row.peer)));
    }

    /// Writes the document.
    pub fn write(&self, directory: &Utf8Path) -> Result<()> {
        write(&directory.join(FILE), &format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

/// The values of a field in all rows, each once, in their order.
pub fn distinct<'a>(rows: &[&'a Row], field: impl Fn(&'a Row) -> &'a str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for row in rows {
        if !values.contains(&field(row)) {
            values.push(field(row));
        }
    }
    values
}

/// Writes a file that is whole or not there.
pub fn write(path: &Utf8Path, content: &str) -> Result<()> {
    let temporary = path.with_extension("part");
    fs::write(&temporary, content)?;
    fs::rename(&temporary, path)?;
    Ok(())
}
