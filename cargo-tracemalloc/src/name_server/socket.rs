//! The socket that answers name requests.
//!
//! A single thread answers, so each file is read once: for all tests of the command, or for all
//! tests of one binary.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::name_server::files::Files;
use crate::util::private_dir::PrivateDir;

/// The longest time to wait for a whole request, or for a client to read a part of its reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest request in bytes: two million addresses. A traced process sends some thousands.
const LONGEST: u64 = 16 << 20;
/// The most connections at once. Each test has one, and so many never run at once.
const MOST: usize = 1000;

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
        match catch_unwind(AssertUnwindSafe(|| files.answer(&request))) {
            Ok(Ok(answer)) => {
                let _closed = reply.send(answer);
            }
            Ok(Err(_)) => {}
            // A file that the reader cannot cope with. Other tests need names of other files.
            Err(_) => files = Files::default(),
        }
    }
}

/// Waits for connections. A test's process keeps its connection open as long as it lives.
fn accept_all(listener: &UnixListener, jobs: &Sender<Job>) {
    // Each connection has a clone.
    let connections = Arc::new(());
    for stream in listener.incoming().flatten() {
        if Arc::strong_count(&connections) > MOST {
            continue;
        }
        let (jobs, connection) = (jobs.clone(), Arc::clone(&connections));
        // The client reports a missing reply.
        let _ = thread::Builder::new().name("names of a test".to_owned()).spawn(move || {
            let _closed = serve(stream, &jobs);
            drop(connection);
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
        let request = read_request(&mut stream, u64::from_le_bytes(length))?;
        let (send, receive) = channel();
        jobs.send((request, send)).map_err(io::Error::other)?;
        let reply = receive.recv().map_err(io::Error::other)?;
        stream.write_all(&(reply.len() as u64).to_le_bytes())?;
        stream.write_all(&reply)?;
    }
}

/// Reads a request of this length, if it is not too long and comes in time.
fn read_request(stream: &mut UnixStream, length: u64) -> io::Result<Vec<u8>> {
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let deadline = Instant::now() + PATIENCE;
    let mut request = Vec::new();
    let mut part = [0; 1 << 14];
    while (request.len() as u64) < length {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let wanted = part.len().min((length - request.len() as u64) as usize);
        match stream.read(&mut part[..wanted])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&part[..read]),
        }
    }
    Ok(request)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tracemalloc_harness::{FileRequest, NameReply, NameRequest, from_bytes, to_bytes};

    use super::*;

    fn connect(socket: &NameSocket) -> UnixStream {
        let stream = UnixStream::connect(socket.path()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// A client that asks for the names of nothing gets a reply.
    fn is_served(socket: &NameSocket) {
        let mut stream = connect(socket);
        let file = FileRequest { path: "/nothing".to_owned(), ..FileRequest::default() };
        let request = to_bytes(&NameRequest { files: vec![file] });
        stream.write_all(&(request.len() as u64).to_le_bytes()).unwrap();
        stream.write_all(&request).unwrap();
        let mut length = [0; 8];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; u64::from_le_bytes(length) as usize];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(from_bytes::<NameReply>(&reply).unwrap().files.len(), 1);
    }

    #[test]
    fn a_request_of_any_length_uses_little_memory_and_stops_nothing() {
        let socket = NameSocket::open().unwrap();
        for length in [LONGEST + 1, 1 << 40, u64::MAX] {
            let mut stream = connect(&socket);
            stream.write_all(&length.to_le_bytes()).unwrap();
            let mut closed = [0; 1];
            assert_eq!(stream.read(&mut closed).unwrap(), 0, "the connection is closed");
        }
        is_served(&socket);
    }

    #[test]
    fn slow_clients_do_not_block_others() {
        let socket = NameSocket::open().unwrap();
        let slow: Vec<_> = (0..20).map(|_| connect(&socket)).collect();
        for mut stream in &slow {
            stream.write_all(&[8, 0, 0]).unwrap();
        }
        is_served(&socket);
    }

    #[test]
    fn lengths_inside_a_request_are_not_believed() {
        let socket = NameSocket::open().unwrap();
        let file = FileRequest { path: "/x".to_owned(), places: vec![7], statics: false };
        let whole = to_bytes(&NameRequest { files: vec![file] });
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let content = &whole[header + 8..];
        // Every eight bytes in turn become a huge number, with a right checksum.
        for start in 0..=content.len() - 8 {
            for lie in [1_u64 << 36, 1 << 47, 1 << 62, u64::MAX] {
                let mut changed = content.to_vec();
                changed[start..start + 8].copy_from_slice(&lie.to_le_bytes());
                let sum = tracemalloc_harness::fnv::add(tracemalloc_harness::fnv::EMPTY, &changed);
                let mut request = whole[..header].to_vec();
                request.extend(sum.to_le_bytes());
                request.extend(changed);
                let mut stream = connect(&socket);
                stream.write_all(&(request.len() as u64).to_le_bytes()).unwrap();
                stream.write_all(&request).unwrap();
                let _ = stream.read(&mut [0; 8]).unwrap();
            }
        }
        is_served(&socket);
    }
}
