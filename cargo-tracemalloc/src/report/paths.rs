//! File names in the report: relative to the workspace or to a dependency.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;
use tracemalloc_harness::Prefix;

use crate::report::code_owner::looks_foreign;

/// The rules for a workspace and its dependencies, longest prefix first.
pub fn path_prefixes(metadata: &Metadata) -> Vec<Prefix> {
    let root = &metadata.workspace_root;
    let mut prefixes = vec![Prefix { prefix: root.to_string(), replacement: String::new() }];
    for package in &metadata.packages {
        let Some(dir) = package.manifest_path.parent().filter(|dir| !dir.starts_with(root)) else {
            continue;
        };
        // Members and path dependencies have no source. They are found from the workspace.
        let replacement = match package.source {
            None => relative(root, dir),
            Some(_) => format!("{}-{}", package.name, package.version),
        };
        prefixes.push(Prefix { prefix: dir.to_string(), replacement });
    }
    for package in &metadata.packages {
        let Some(dir) = package.manifest_path.parent().filter(|dir| dir.starts_with(root)) else {
            continue;
        };
        // A dependency may be vendored below the workspace's root, and a member may lie in `core/`.
        let replacement = match package.source {
            Some(_) => format!("{}-{}", package.name, package.version),
            None => match relative(root, dir) {
                dir if looks_foreign(&format!("{dir}/src")) => format!("./{dir}"),
                _ => continue,
            },
        };
        prefixes.push(Prefix { prefix: dir.to_string(), replacement });
    }
    prefixes
        .sort_by(|a, b| b.prefix.len().cmp(&a.prefix.len()).then_with(|| a.prefix.cmp(&b.prefix)));
    prefixes
}

/// The directories in which the short names of sources may lie: the workspace, and the directories
/// of registries. Cargo unpacks each package there, under its name and version.
pub fn source_roots(metadata: &Metadata) -> BTreeSet<Utf8PathBuf> {
    let unpacked = metadata.packages.iter().filter(|package| package.source.is_some());
    let dirs = unpacked.filter_map(|package| package.manifest_path.parent()?.parent());
    dirs.chain([metadata.workspace_root.as_path()]).map(ToOwned::to_owned).collect()
}

/// The workspace's directory in its git repository; empty at the repository's root, and without a
/// repository. What cargo has built lies in a repository, but is no part of it.
pub fn directory_in_repository(root: &Utf8Path) -> String {
    for dir in root.ancestors() {
        if dir.join(".git").exists() {
            let below = root.strip_prefix(dir).unwrap_or(Utf8Path::new(""));
            return with_slashes(below.to_string());
        }
        if dir.join("CACHEDIR.TAG").exists() {
            break;
        }
    }
    String::new()
}

/// A source file of a member, relative to the workspace.
pub fn in_workspace(root: &Utf8Path, path: &str) -> String {
    with_slashes(relative(root, Utf8Path::new(path)))
}

/// `path` relative to `root`, with `..` if needed.
fn relative(root: &Utf8Path, path: &Utf8Path) -> String {
    let shared = root.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return path.to_string();
    }
    let up = root.components().skip(shared).map(|_| "..");
    let down = path.components().skip(shared).map(|component| component.as_str());
    with_slashes(up.chain(down).collect::<Utf8PathBuf>().into_string())
}

fn with_slashes(path: String) -> String {
    if cfg!(windows) { path.replace('\\', "/") } else { path }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::{directory_in_repository, in_workspace};

    #[test]
    fn the_directory_in_a_repository_ends_at_its_root_and_at_builds() {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temp.path()).unwrap();
        let make = |path: &str| {
            fs_err::create_dir_all(root.join(path)).unwrap();
            root.join(path)
        };
        let (below, built) = (make("repository/rust/app"), make("repository/target/package/app"));
        make("repository/.git");
        fs_err::write(root.join("repository/target/CACHEDIR.TAG"), "").unwrap();
        assert_eq!(directory_in_repository(&below), "rust/app");
        assert_eq!(directory_in_repository(&root.join("repository")), "");
        assert_eq!(directory_in_repository(&built), "");
    }

    #[test]
    fn paths_are_relative_to_the_workspace() {
        assert_eq!(in_workspace("/a/b".into(), "/a/b/src/lib.rs"), "src/lib.rs");
        assert_eq!(in_workspace("/a/b".into(), "/a/c/src/lib.rs"), "../c/src/lib.rs");
    }
}
