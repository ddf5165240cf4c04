//! A leak that fails the run, with its place and its text.

use crate::output::text;
use crate::report::{Change, Comparison, Leak, Report, is_of_workspace};

/// A leak to report, in plain text.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The leak.
    pub leak: &'a Leak,
    /// Its change, if there is an earlier report.
    pub change: Option<Change>,
    /// One line.
    pub title: String,
    /// All lines.
    pub text: String,
    /// The file of the allocation, relative to the workspace.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

/// The leaks that fail. With an earlier report, only new and grown ones.
pub fn findings<'a>(report: &'a Report, comparison: Option<&Comparison>) -> Vec<Finding<'a>> {
    let failing = report.leaks.iter().filter(|leak| leak.fails(&report.options.deny));
    let with_change = failing.map(|leak| (leak, comparison.map(|with| with.of(leak))));
    let shown = with_change.filter(|(_, change)| *change != Some(Change::Same));
    shown.map(|(leak, change)| finding(report, leak, change)).collect()
}

fn finding<'a>(report: &Report, leak: &'a Leak, change: Option<Change>) -> Finding<'a> {
    let (file, line) = place(report, leak);
    let (title, text) = text::plain(report, leak, change.unwrap_or(Change::New));
    Finding { leak, change, title, text, file, line }
}

/// The most recent frame inside the workspace. Without one, the start of the test's target.
fn place(report: &Report, leak: &Leak) -> (String, u32) {
    let frames = leak.sites.iter().flat_map(|site| site.traceback.iter().rev());
    let mut frames = frames.filter(|frame| frame.line > 0 && is_of_workspace(frame));
    if let Some(frame) = frames.next() {
        let file = frame.file.strip_prefix("./").unwrap_or(&frame.file);
        return (file.to_owned(), frame.line);
    }
    let test = leak.tests.first();
    let mut targets = report.targets.iter().filter(|target| {
        test.is_some_and(|test| (&target.package, &target.name) == (&test.package, &test.target))
    });
    (targets.next().map_or_else(|| "Cargo.toml".to_owned(), |target| target.src.clone()), 1)
}
