//! Builds of the cache that can be removed: those of other versions and compilers, once no command
//! has used them for a while.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::runtimes::cache;
use crate::util::file::DiskUse;

/// The builds to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// All.
    Any,
    /// Those that no command used for 30 days.
    Unused,
}

/// The time after which a build is removed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Removes builds from the cache, with the directories in which they were built. Returns their
/// paths and sizes. A directory in which a process builds right now is left out.
pub fn remove(age: Age, dry_run: bool) -> Result<Vec<(Utf8PathBuf, DiskUse)>> {
    remove_in(&cache::dir()?, age, dry_run)
}

/// [`remove`] in one cache.
pub fn remove_in(
    cache_dir: &Utf8Path,
    age: Age,
    dry_run: bool,
) -> Result<Vec<(Utf8PathBuf, DiskUse)>> {
    let Ok(entries) = cache_dir.read_dir_utf8() else { return Ok(Vec::new()) };
    let mut removed = Vec::new();
    for entry in entries.flatten().filter(|entry| is_of_cache(entry.file_name())) {
        let path = entry.path();
        let is_old = || used_at(path).and_then(|used| used.elapsed().ok()) >= Some(UNUSED);
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_dir || age == Age::Unused && !is_old() {
            continue;
        }
        let lock = cache::lock_path(path);
        // Only the directories for cargo have a lock.
        if lock.exists() && fs::File::open(&lock)?.file().try_lock().is_err() {
            continue;
        }
        let disk_use = DiskUse::of(path);
        if !dry_run {
            fs::remove_dir_all(path)?;
            let _absent = fs::remove_file(lock);
        }
        removed.push((path.to_owned(), disk_use));
    }
    removed.sort();
    Ok(removed)
}

/// Whether a name is one of the cache's: `0.1.0-01e24089785d863c`, `target-7a1edb5f866aa199`.
fn is_of_cache(name: &str) -> bool {
    let Some((of, hash)) = name.rsplit_once('-') else { return false };
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && (of == "target" || of.starts_with(|first: char| first.is_ascii_digit()))
}

/// The last use of a build or a directory for cargo.
fn used_at(path: &Utf8Path) -> Option<SystemTime> {
    let places = [path.join(cache::MARKER), cache::lock_path(path), path.to_owned()];
    places.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_that_are_not_used_any_more_are_removed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let old = SystemTime::now() - UNUSED - Duration::from_secs(60);
        let make = |name: &str, marker: Option<SystemTime>| {
            let path = dir.join(name);
            fs::create_dir(&path).unwrap();
            if let Some(time) = marker {
                let file = fs::File::create(path.join(cache::MARKER)).unwrap();
                file.file().set_modified(time).unwrap();
            }
            std::fs::File::open(&path).unwrap().set_modified(old).unwrap();
        };
        let (used, unused) = ("0.1.0-0123456789abcdef", "0.0.9-0123456789abcdef");
        make(used, Some(SystemTime::now()));
        make(unused, Some(old));
        make("0.1.0-interrupted00000", None);
        make("0.1.0-00000000000000ff", None);
        make("target-00000000000000ff", None);
        make("something-of-the-user", None);
        let lock =
            fs::File::create(cache::lock_path(&dir.join("target-00000000000000ff"))).unwrap();
        lock.file().set_modified(old).unwrap();
        lock.file().lock().unwrap();

        let names = |age, dry_run| -> Vec<String> {
            let removed = remove_in(dir, age, dry_run).unwrap();
            removed.iter().map(|(path, _)| path.file_name().unwrap().to_owned()).collect()
        };
        let expected = [unused, "0.1.0-00000000000000ff"];
        assert_eq!(names(Age::Unused, true), expected);
        assert_eq!(names(Age::Unused, false), expected);
        assert_eq!(names(Age::Unused, false), [""; 0], "they are gone");
        drop(lock);
        assert_eq!(names(Age::Any, false), [used, "target-00000000000000ff"]);
        let mut left: Vec<String> =
            dir.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
        left.sort();
        assert_eq!(left, ["0.1.0-interrupted00000", "something-of-the-user"]);
    }
}
