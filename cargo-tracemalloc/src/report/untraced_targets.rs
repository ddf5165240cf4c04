//! The test targets and programs that the wrapper compiled without the harness. They leave nothing,
//! so only the note beside the binary tells of them.

use camino::Utf8Path;
use cargo_metadata::Metadata;

use crate::cli::CargoOptions;
use crate::report::document::Target;
use crate::report::selection::{is_selected, selects_target};
use crate::report::target_notes::newest_notes;
use crate::report::targets::target_of_note;

/// The targets that these options select, and that have run untraced without leaving anything.
/// `programs` tells whether the programs that tests start are checked.
pub fn untraced_targets(
    target_dir: &Utf8Path,
    options: &CargoOptions,
    programs: bool,
    metadata: &Metadata,
    reported: &[Target],
) -> Vec<Target> {
    let packages = metadata.workspace_packages();
    let is_reported = |target: &Target| {
        reported.iter().any(|other| {
            (&other.package, &other.version, other.kind, &other.name)
                == (&target.package, &target.version, target.kind, &target.name)
        })
    };
    let untraced = newest_notes(target_dir)
        .into_iter()
        .filter(|note| note.untraced.is_some() && (programs || !note.is_program));
    let mut targets: Vec<Target> = untraced
        .filter(|note| {
            packages.iter().any(|package| {
                package.name == note.package && is_selected(package, options, metadata)
            })
        })
        .map(|note| target_of_note(note, metadata))
        .filter(|target| selects_target(options, target.kind, &target.name))
        .filter(|target| !is_reported(target))
        .collect();
    targets.sort_by(|a, b| (&a.package, a.kind, &a.name).cmp(&(&b.package, b.kind, &b.name)));
    targets
}
