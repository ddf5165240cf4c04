//! The socket that answers name requests.
//!
//! A single thread answers, so that each file is read once: for all tests that the command has
//! started, or for all tests of one binary.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::name_server::files::Files;
use crate::util::private_dir::PrivateDir;

/// The longest time to wait for a request, or for a client to read its reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, in a directory that other users cannot enter. Removed when dropped.
#[derive(Debug)]
pub struct NameSocket {
    path: PathBuf,
    _directory: PrivateDir,
}

impl NameSocket {
    /// Opens the socket and starts to answer. `None` if there can be no socket, for example because
    /// its path would be too long. Then each process starts the command for its requests.
    pub fn open() -> Option<Self> {
        let directory = PrivateDir::create().ok()?;
        let path = directory.path().join("s");
        let listener = UnixListener::bind(&path).ok()?;
        thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || answer_all(&listener))
            .ok()?;
        Some(Self { path, _directory: directory })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn answer_all(listener: &UnixListener) {
    let mut files = Files::default();
    for stream in listener.incoming() {
        // The client reports a missing reply.
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
