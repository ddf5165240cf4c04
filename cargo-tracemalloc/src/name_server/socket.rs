//! The socket that answers name requests.
//!
//! A single thread answers, so each file is read once: for all tests of the command, or for all
//! tests of one binary.

use std::io::{self, Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
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
        let (send_job, jobs) = channel();
        let start = |name: &str, work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new().name(name.to_owned()).spawn(work).ok()
        };
        start("names", Box::new(move || answer_all(&jobs)))?;
        start("connections", Box::new(move || accept_all(&listener, &send_job)))?;
        Some(Self { path, _directory: directory })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A request, and the channel for its reply.
type Job = (Vec<u8>, Sender<Vec<u8>>);

/// Answers the requests of all connections, one after the other.
fn answer_all(jobs: &Receiver<Job>) {
    let mut files = Files::default();
    for (request, reply) in jobs {
        // Without a reply, the channel closes, and so does the connection.
        if let Ok(answer) = files.answer(&request) {
            let _closed = reply.send(answer);
        }
    }
}

/// Waits for connections. A test's process keeps its connection open as long as it lives.
fn accept_all(listener: &UnixListener, jobs: &Sender<Job>) {
    for stream in listener.incoming().flatten() {
        let jobs = jobs.clone();
        // The client reports a missing reply.
        let _ = thread::Builder::new().name("names of a test".to_owned()).spawn(move || {
            let _closed = serve(stream, &jobs);
        });
    }
}

/// Serves one connection until it is closed. Each message is preceded by its length.
fn serve(mut stream: UnixStream, jobs: &Sender<Job>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    loop {
        // A test may run for any time before its first request.
        stream.set_read_timeout(None)?;
        let mut length = [0; 8];
        stream.read_exact(&mut length)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = Vec::new();
        Read::by_ref(&mut stream).take(u64::from_le_bytes(length)).read_to_end(&mut request)?;
        let (send, receive) = channel();
        jobs.send((request, send)).map_err(io::Error::other)?;
        let reply = receive.recv().map_err(io::Error::other)?;
        stream.write_all(&(reply.len() as u64).to_le_bytes())?;
        stream.write_all(&reply)?;
    }
}
