//! The kind of machine that was measured on, without its name.

use std::fmt;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// The machine, on which results depend besides the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Gibibytes of memory.
    pub memory_gib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
}

impl Machine {
    /// The one at hand.
    pub fn this() -> Result<Self> {
        let read = |path: &str| fs_err::read_to_string(path);
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
            line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
        };
        let memory = field(&read("/proc/meminfo")?, "MemTotal").unwrap_or_default();
        let kilobytes: f64 = memory
            .trim_end_matches("kB")
            .trim()
            .parse()
            .context("/proc/meminfo has no MemTotal")?;
        Ok(Self {
            processor: field(&read("/proc/cpuinfo")?, "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().context("failed to count the cores")?.get(),
            memory_gib: (kilobytes / 1024.0 / 1024.0).round() as u64,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            rustc: output("rustc", "--version")?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_gib, kernel, rustc } = self;
        write!(formatter, "{processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {rustc}")
    }
}

/// The day, as YYYY-MM-DD.
pub fn today() -> Result<String> {
    output("date", "+%F")
}

fn output(command: &str, argument: &str) -> Result<String> {
    let output = Command::new(command)
        .arg(argument)
        .output()
        .with_context(|| format!("failed to start {command}"))?;
    ensure!(output.status.success(), "{command} {argument} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
