//! A connection to the name server that is open before the body runs.
//!
//! A body may change the root directory or the user, or use up all descriptors, and then no new
//! connection can be made. The descriptor has a high number, which the body's own files leave
//! alone. A body that closes all descriptors closes it too, so each use checks that it is still the
//! same.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The longest time to wait for a reply.
const PATIENCE: Duration = Duration::from_secs(60);
/// The distance of the descriptor from the highest possible one.
const DISTANCE: u64 = 24;

/// The connection. It stays open as long as the process lives.
#[derive(Debug)]
pub struct NameConnection {
    descriptor: RawFd,
    identity: (u64, u64),
}

impl NameConnection {
    /// Connects to the server; `None` if there is none.
    pub fn open(path: &Path) -> Option<Self> {
        let stream = connect(path).ok()?;
        let descriptor = raised(stream.into()).ok()?.into_raw_fd();
        let identity = identity(descriptor)?;
        Some(Self { descriptor, identity })
    }

    /// Sends a request and returns the reply. An error if the body has closed the connection.
    pub fn request(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        if identity(self.descriptor) != Some(self.identity) {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the test has closed it"));
        }
        // SAFETY: the descriptor is the connection's own, as was just checked. It stays open.
        let mut stream = ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(self.descriptor) });
        exchange(&mut stream, request)
    }
}

/// Connects once, for a single request.
pub fn request_once(path: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    exchange(&mut connect(path)?, request)
}

fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Each message is preceded by its length.
fn exchange(stream: &mut UnixStream, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(&(request.len() as u64).to_le_bytes())?;
    stream.write_all(request)?;
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut reply = Vec::new();
    let read = stream.take(length).read_to_end(&mut reply)?;
    if read as u64 == length {
        Ok(reply)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the reply is truncated"))
    }
}

/// The same file by a high number.
fn raised(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    // A table for more descriptors than these would take much memory.
    let lowest = limit.rlim_cur.min(1 << 16).saturating_sub(DISTANCE).max(3);
    let lowest = libc::c_int::try_from(lowest).unwrap_or(3);
    // SAFETY: the descriptor is open.
    let raised = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest) };
    if raised < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has created it for this process.
    Ok(unsafe { OwnedFd::from_raw_fd(raised) })
}

/// Names an open file, so that it can be told from another of the same number.
fn identity(descriptor: RawFd) -> Option<(u64, u64)> {
    // SAFETY: `fstat` returns an error for a number that is not open. Nothing is closed here.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) });
    let metadata = file.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}
