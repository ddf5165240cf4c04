//! The socket on which the processes of tests ask what stands in their files. One thread answers
//! all of them, so that each file is read once: for all tests that the command has started, or,
//! where somebody else has, for all tests of a binary.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::name_server::files::Files;

/// How long a question may take to arrive, or an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, in a directory that nobody else may look into. Removed when dropped.
#[derive(Debug)]
pub struct NameSocket {
    directory: PathBuf,
    path: PathBuf,
}

impl NameSocket {
    /// Begins to answer. `None` where there can be no socket, as where the path of the directory
    /// for temporary files is too long for one: then processes start the command themselves.
    pub fn open() -> Option<Self> {
        let directory = std::env::temp_dir().join(format!("tm{:x}-names", std::process::id()));
        // Of a process that had the same number and was killed.
        let _ = fs::remove_dir_all(&directory);
        fs::DirBuilder::new().mode(0o700).create(&directory).ok()?;
        let socket = Self { path: directory.join("s"), directory };
        let listener = UnixListener::bind(&socket.path).ok()?;
        thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || answer_all(&listener))
            .ok()?;
        Some(socket)
    }

    /// Where to ask.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for NameSocket {
    fn drop(&mut self) {
        // What cannot be removed from the system's temporary directory, the system removes.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn answer_all(listener: &UnixListener) {
    let mut files = Files::default();
    for stream in listener.incoming() {
        // Who gets no answer says so.
        let _ = stream.and_then(|stream| answer(stream, &mut files));
    }
}

fn answer(mut stream: UnixStream, files: &mut Files) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut question = Vec::new();
    stream.read_to_end(&mut question)?;
    stream.write_all(&files.answer(&question).map_err(io::Error::other)?)
}
