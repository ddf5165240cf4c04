//! The cache of built runtimes. A marker file tells a finished build from an interrupted one.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use fs_err as fs;
use fs_err::File;
use serde::{Deserialize, Serialize};

use crate::runtimes::cargo_build::Artifacts;
use crate::runtimes::runtime::{Interposed, Runtime};
use crate::util::private_env::CACHE_DIR;
use crate::util::terminal;

/// The marker, written last.
pub const MARKER: &str = "complete.json";
/// A use is noted once in this time.
const NOTED: Duration = Duration::from_secs(24 * 60 * 60);
/// The directory for libraries in a build's directory.
const LIBRARIES: &str = "lib";

/// The content of the marker. Paths are relative to its directory.
#[derive(Debug, Serialize, Deserialize)]
struct Complete {
    traced: Utf8PathBuf,
    untraced: Utf8PathBuf,
    interposed: Option<Interposed>,
    program: Option<Utf8PathBuf>,
    /// The sizes in bytes of all files of the build.
    files: BTreeMap<Utf8PathBuf, u64>,
}

/// The directory of all builds.
pub fn dir() -> Result<Utf8PathBuf> {
    let var = |name| env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    let dir = var(CACHE_DIR)
        .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("cargo-tracemalloc")))
        .or_else(|| {
            var("LOCALAPPDATA").filter(|_| cfg!(windows)).map(|dir| dir.join("cargo-tracemalloc"))
        })
        .or_else(|| var("HOME").map(|dir| dir.join(".cache/cargo-tracemalloc")));
    match dir {
        Some(dir) => absolute_utf8(&dir)
            .with_context(|| format!("failed to resolve cache directory `{dir}`")),
        None => bail!(
            "failed to find a cache directory; set {CACHE_DIR} to a directory that can be written"
        ),
    }
}

/// The build in `dir`, if it is finished and complete.
pub fn complete(dir: &Utf8Path) -> Option<Runtime> {
    let complete: Complete = serde_json::from_slice(&fs::read(dir.join(MARKER)).ok()?).ok()?;
    let whole = |(path, size): (&Utf8PathBuf, &u64)| {
        fs::metadata(dir.join(path)).is_ok_and(|found| found.len() == *size)
    };
    if !complete.files.iter().all(whole) {
        return None;
    }
    let search = dir.join(LIBRARIES);
    let interposed = complete.interposed.map(|interposed| Interposed {
        library: dir.join(&interposed.library),
        symbols: interposed.symbols,
    });
    Some(Runtime {
        traced: dir.join(&complete.traced),
        interposed,
        untraced: dir.join(&complete.untraced),
        program: complete.program.map(|path| dir.join(path)),
        search,
    })
}

/// Whether a finished build in `dir` has lost files.
pub fn is_damaged(dir: &Utf8Path) -> bool {
    dir.join(MARKER).exists() && complete(dir).is_none()
}

/// The file that is locked while a process builds with the target directory `dir`.
pub fn lock_path(dir: &Utf8Path) -> Utf8PathBuf {
    dir.with_added_extension("lock")
}

/// Notes that a command uses the build in `dir` now. A cache that cannot be written is no error.
pub fn note_use(dir: &Utf8Path) {
    let path = dir.join(MARKER);
    let is_noted = fs::metadata(&path)
        .and_then(|found| found.modified())
        .is_ok_and(|noted| noted.elapsed().is_ok_and(|age| age < NOTED));
    if !is_noted && let Ok(marker) = File::options().append(true).open(path) {
        let _read_only = marker.file().set_modified(SystemTime::now());
    }
}

/// Waits until no other process builds with the target directory `dir`. The lock ends with the
/// file.
pub fn lock(dir: &Utf8Path, quiet: bool) -> Result<File> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = File::create(lock_path(dir))?;
    if file.file().try_lock().is_err() {
        if !quiet {
            let text = "waiting for another process to prepare the tracemalloc runtime";
            terminal::status("Blocking", text);
        }
        file.file().lock()?;
    }
    Ok(file)
}

/// Empties a directory, or creates it.
pub fn clear(dir: &Utf8Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    Ok(())
}

/// Copies a build's files into `dir`, and writes the marker.
pub fn finish(dir: &Utf8Path, artifacts: &Artifacts) -> Result<Runtime> {
    let libraries = Utf8Path::new(LIBRARIES);
    fs::create_dir_all(dir.join(libraries))?;
    let place = |path: &Utf8Path| libraries.join(path.file_name().unwrap_or_default());
    let mut files = BTreeMap::new();
    for path in artifacts.files.iter().filter(|path| path.extension() != Some("rmeta")) {
        let size = fs::copy(path, dir.join(place(path)))?;
        files.insert(place(path), size);
    }
    let complete = Complete {
        traced: place(&artifacts.traced),
        untraced: place(&artifacts.untraced),
        interposed: artifacts.interposed.as_ref().map(|interposed| Interposed {
            library: place(&interposed.library),
            symbols: interposed.symbols.clone(),
        }),
        program: artifacts.program.as_deref().map(place),
        files,
    };
    crate::util::file::write_atomically(&dir.join(MARKER), &serde_json::to_vec_pretty(&complete)?)?;
    self::complete(dir).context("the files of the build have disappeared")
}

#[cfg(test)]
mod tests {
    use camino::{Utf8Path, Utf8PathBuf};

    use super::{Artifacts, MARKER, clear, complete, finish};

    /// A build of three libraries. The first two are the ones to link.
    fn built(dir: &Utf8Path) {
        let temp = tempfile::tempdir().unwrap();
        let target_dir = Utf8Path::from_path(temp.path()).unwrap();
        let files: Vec<Utf8PathBuf> =
            ["liba.rlib", "libb.rlib", "libc.so"].map(|name| target_dir.join(name)).into();
        for file in &files {
            fs_err::write(file, "content").unwrap();
        }
        let (traced, untraced) = (files[0].clone(), files[1].clone());
        let artifacts = Artifacts { traced, untraced, interposed: None, program: None, files };
        finish(dir, &artifacts).unwrap();
    }

    #[test]
    fn only_a_whole_build_is_complete() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        assert!(complete(dir).is_none());
        built(dir);
        let runtime = complete(dir).unwrap();
        assert_eq!(runtime.traced, dir.join("lib/liba.rlib"));
        assert!(runtime.search.join("libc.so").exists());

        fs_err::write(dir.join("lib/libc.so"), "cont").unwrap();
        assert!(complete(dir).is_none(), "a file was cut off");
        clear(dir).unwrap();
        built(dir);
        fs_err::remove_file(dir.join("lib/libb.rlib")).unwrap();
        assert!(complete(dir).is_none(), "a file is missing");
        built(dir);
        fs_err::write(dir.join(MARKER), "{").unwrap();
        assert!(complete(dir).is_none(), "the marker was cut off");
    }
}
