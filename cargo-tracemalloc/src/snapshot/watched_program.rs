//! A program under `cargo tracemalloc run`, watched from another process.
//!
//! The program's environment names the session's directory. The two files there are described in
//! the harness crate, at [`LiveMemory`].

use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{ffi::OsString, fs};

use anyhow::{Context as _, Result, anyhow, bail};
use tracemalloc_harness::{
    LIVE_FILE, LIVE_INTERVAL, LiveMemory, SESSION_FILE, SESSION_VAR, Session, WATCH_FILE,
};

use crate::snapshot::moment::Moment;
use crate::util::descendants;

/// A running program needs so long at most for an answer, besides the search of its heap.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that is watched. It stops to answer when this is dropped.
#[derive(Debug)]
pub struct WatchedProgram {
    /// The number of its process.
    pub pid: u32,
    session_dir: PathBuf,
    /// The number of the last answer.
    last: u64,
    renewed: Option<Instant>,
}

impl WatchedProgram {
    /// Finds the program. The number may also be that of the command that runs it.
    pub fn find(pid: u32) -> Result<Self> {
        let of = |pid| session_of(pid).map(|session| session.map(|session| (pid, session)));
        let own = of(pid).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow!("there is no process {pid}"),
            _ => anyhow!(error).context(format!("failed to read the environment of process {pid}")),
        })?;
        let found = match own {
            Some(found) => Some(found),
            None => descendants::of(pid).into_iter().find_map(|child| of(child).ok().flatten()),
        };
        let Some((pid, session_dir)) = found else {
            bail!(
                "process {pid} does not run under `cargo tracemalloc run`; start it that way to \
                 watch it"
            );
        };
        let session = fs::read(session_dir.join(SESSION_FILE)).with_context(|| {
            format!("failed to read the session of process {pid}; has its command ended?")
        })?;
        let session: Session = tracemalloc_harness::from_bytes(&session)
            .with_context(|| format!("failed to read the session of process {pid}"))?;
        if session.run.is_none() {
            bail!("process {pid} is a test; only programs of `cargo tracemalloc run` are watched");
        }
        Ok(Self { pid, session_dir, last: 0, renewed: None })
    }

    /// The newest moment, if there is one that was not returned before.
    pub fn newest(&mut self) -> Result<Option<Moment>> {
        if self.renewed.is_none_or(|renewed| renewed.elapsed() >= LIVE_INTERVAL) {
            // The directory is gone when the command has ended.
            if fs::write(self.session_dir.join(WATCH_FILE), "").is_ok() {
                self.renewed = Some(Instant::now());
            }
        }
        let Ok(live) = fs::read(self.session_dir.join(LIVE_FILE)) else { return Ok(None) };
        let live: LiveMemory = tracemalloc_harness::from_bytes(&live)
            .with_context(|| format!("failed to read the answer of process {}", self.pid))?;
        // An answer to an earlier command may still lie there.
        let is_new = live.number != self.last;
        let is_first = self.last == 0;
        self.last = live.number;
        Ok((is_new && !is_first).then(|| live.into()))
    }

    /// Waits for the next moment. `None` if the program has ended.
    pub fn next(&mut self) -> Result<Option<Moment>> {
        let start = Instant::now();
        loop {
            if let Some(moment) = self.newest()? {
                return Ok(Some(moment));
            }
            if !self.runs() {
                return Ok(None);
            }
            if start.elapsed() > PATIENCE {
                bail!(
                    "process {} has not answered for {} s; it may be stopped, or have changed its \
                     user or its root directory",
                    self.pid,
                    PATIENCE.as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether the program still runs.
    pub fn runs(&self) -> bool {
        session_of(self.pid).is_ok_and(|session| session.as_ref() == Some(&self.session_dir))
    }
}

impl Drop for WatchedProgram {
    fn drop(&mut self) {
        // Another command that watches renews it.
        let _gone = fs::remove_file(self.session_dir.join(WATCH_FILE));
    }
}

/// The session's directory that a process was started with.
fn session_of(pid: u32) -> io::Result<Option<PathBuf>> {
    let environment = fs::read(format!("/proc/{pid}/environ"))?;
    let prefix = format!("{SESSION_VAR}=");
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(prefix.as_bytes()));
    Ok(value.map(|value| Path::new(&OsString::from_vec(value.to_vec())).to_owned()))
}
