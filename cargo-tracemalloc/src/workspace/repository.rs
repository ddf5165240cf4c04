//! A git repository of the user, and a clone of it in which revisions are checked out.
//!
//! The clone borrows the objects of the original, and writes nothing into it.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::util::exit_code::UsageError;
use crate::util::process::Process;

/// Variables by which a caller such as a hook points git to another repository.
const OF_CALLER: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
];

/// A repository with a checkout.
#[derive(Debug)]
pub struct Repository {
    /// The root of the checkout.
    pub root: Utf8PathBuf,
}

impl Repository {
    /// The repository of the current directory, and the directory's path in it.
    pub fn here() -> Result<(Self, Utf8PathBuf)> {
        let found = git().args(["rev-parse", "--show-toplevel", "--show-prefix"]).read();
        let found = match found {
            Ok(found) => found,
            Err(error) if error.is::<std::io::Error>() => {
                return Err(error.context("failed to run git, which `bisect` needs"));
            }
            Err(_) => {
                let here = "this directory is in no git repository with a checkout; `bisect` looks \
                            for a leak in the commits of one";
                return Err(UsageError(here.to_owned()).into());
            }
        };
        let mut lines = found.lines();
        let root = Utf8PathBuf::from(lines.next().unwrap_or_default());
        Ok((Self { root }, lines.next().unwrap_or_default().into()))
    }

    /// git in this repository.
    pub fn git(&self, args: &[&str]) -> Process {
        let mut git = git();
        git.dir(&self.root).args(args);
        git
    }

    /// The commit of a revision.
    pub fn commit(&self, revision: &str) -> Result<String> {
        let commit = format!("{revision}^{{commit}}");
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
        self.git(&args).read().map(|found| found.trim().to_owned()).map_err(|_| {
            UsageError(format!("there is no commit `{revision}` in `{}`", self.root)).into()
        })
    }

    /// Whether one commit comes before another, or is the same.
    pub fn is_ancestor(&self, old: &str, new: &str) -> Result<bool> {
        Ok(self.git(&["merge-base", "--is-ancestor", old, new]).silent().status()?.success())
    }

    /// The paths of tracked files that differ from `HEAD`.
    pub fn changed_files(&self) -> Result<Vec<String>> {
        let status = self.git(&["status", "--porcelain", "--untracked-files=no"]).read()?;
        Ok(status.lines().filter_map(|line| line.get(3..)).map(str::to_owned).collect())
    }

    /// The hash and the subject of a commit.
    pub fn summary(&self, commit: &str) -> Result<String> {
        let line = self.git(&["log", "-1", "--no-color", "--format=%h %s", commit]).read()?;
        Ok(line.trim_end().to_owned())
    }

    /// Clones the repository without a checkout.
    pub fn clone_to(&self, root: &Utf8Path) -> Result<Self> {
        let args = ["clone", "--quiet", "--shared", "--no-checkout", self.root.as_str()];
        let mut clone = git();
        clone.args(args).arg(root).read().context("failed to clone the repository")?;
        Ok(Self { root: root.to_owned() })
    }

    /// Checks out a commit.
    pub fn check_out(&self, commit: &str) -> Result<()> {
        let args = ["checkout", "--quiet", "--force", "--detach", commit];
        self.git(&args).read().with_context(|| format!("failed to check out {commit}"))?;
        Ok(())
    }
}

fn git() -> Process {
    let mut git = Process::new("git");
    for name in OF_CALLER {
        git.env(name, None::<&str>);
    }
    git
}
