//! Requests names from the command. It uses the socket of the command or of the front, or starts
//! the command for a single request.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use tracemalloc::internal::names::{self, Named, Provider, Statics};
use tracemalloc::internal::{Place, Symbol};

use crate::child::command;
use crate::child::doctest_names::{in_source, in_words};
use crate::child::name_connection::{NameConnection, request_once};
use crate::child::test_binary;
use crate::protocol::name_request::{
    FileRequest, NAME_PROVIDER_VAR, NAMES_VAR, NameReply, NameRequest, NamedEntry,
};
use crate::protocol::process_role::ProcessRole;
use crate::protocol::test_entry::FrameEntry;
use crate::protocol::wire::{from_bytes, to_bytes};

/// Makes the runtime of this process request names from the command. `runs_body` tells that the
/// process runs a body, and is no front.
pub fn install(role: &ProcessRole, runs_body: bool) {
    let of_command = || role.session.as_ref()?.names.clone().map(PathBuf::from);
    let of_outer_test = || role.outer.as_ref()?.names.clone();
    let own = std::env::var_os(NAMES_VAR).map(PathBuf::from);
    let socket = own.or_else(of_command).or_else(of_outer_test);
    let (session, executable) = (role.session.clone(), test_binary::path());
    // Most tests need no names, and most others find the socket.
    let find = move || {
        command::places(session.as_ref(), &executable)
            .into_iter()
            .chain([command::NAME.to_owned()])
            .collect()
    };
    let connection = socket.as_deref().filter(|_| runs_body).and_then(NameConnection::open);
    names::set_provider(Box::new(CommandProvider {
        connection,
        socket,
        programs: LazyLock::new(Box::new(find)),
        statics: Mutex::default(),
    }));
}

/// The same for a program that must not start processes of its own: only the socket is used.
#[cfg(target_env = "gnu")]
pub fn install_socket(role: &ProcessRole) {
    let socket = role.session.as_ref().and_then(|session| session.names.clone());
    names::set_provider(Box::new(CommandProvider {
        connection: None,
        socket: socket.map(PathBuf::from),
        programs: LazyLock::new(Box::new(Vec::new)),
        statics: Mutex::default(),
    }));
}

/// The command as a provider of names.
struct CommandProvider {
    /// Open since before the body.
    connection: Option<NameConnection>,
    /// The socket of the command or of the front.
    socket: Option<PathBuf>,
    /// Programs that may be the command.
    programs: LazyLock<Vec<String>, Box<dyn FnOnce() -> Vec<String> + Send>>,
    /// Earlier replies. Each search of the heap needs them.
    statics: Mutex<HashMap<String, Statics>>,
}

impl CommandProvider {
    fn request(&self, request: &NameRequest) -> Result<NameReply, String> {
        let request_bytes = to_bytes(request);
        let mut errors = Vec::new();
        let connected = self.connection.iter().map(|connection| {
            ("the open connection".to_owned(), connection.request(&request_bytes))
        });
        let by_socket = self
            .socket
            .iter()
            .map(|socket| (socket.display().to_string(), request_once(socket, &request_bytes)));
        // A process that has changed its root directory cannot see the socket.
        let programs = std::iter::once_with(|| self.programs.iter()).flatten();
        let by_process =
            programs.map(|program| (program.clone(), by_process(program, &request_bytes)));
        for (source, reply_bytes) in connected.chain(by_socket).chain(by_process) {
            let reply: Result<NameReply, String> =
                reply_bytes.map_err(|error| error.to_string()).and_then(|reply_bytes| {
                    from_bytes(&reply_bytes).map_err(|error| error.to_string())
                });
            match reply {
                Ok(reply) if reply.files.len() == request.files.len() => return Ok(reply),
                Ok(_) => errors.push(format!("{source}: the reply is not for this request")),
                Err(error) => errors.push(format!("{source}: {error}")),
            }
        }
        Err(errors.join(", "))
    }
}

impl Provider for CommandProvider {
    fn frames(&self, places: &[Place<'_>]) -> Result<Vec<Vec<Symbol>>, String> {
        let mut request = NameRequest::default();
        // For each place: the index of its file, and its index in that file.
        let numbers: Vec<(usize, usize)> = places
            .iter()
            .map(|place| {
                let known = request.files.iter().position(|file| file.path == place.file);
                let number = known.unwrap_or_else(|| {
                    request.files.push(FileRequest {
                        path: place.file.to_owned(),
                        ..FileRequest::default()
                    });
                    request.files.len() - 1
                });
                let file = &mut request.files[number];
                file.places.push(place.address as u64);
                (number, file.places.len() - 1)
            })
            .collect();
        let mut reply = self.request(&request)?;
        let mut take = |(file, place): (usize, usize)| {
            reply.files[file].frames.get_mut(place).map(std::mem::take)
        };
        let frames = numbers.into_iter().map(|number| take(number).unwrap_or_default());
        Ok(frames.map(|frames| frames.into_iter().map(symbol).collect()).collect())
    }

    fn statics(&self, files: &[&str]) -> Result<Vec<Statics>, String> {
        let mut known = self.statics.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = files.iter().filter(|file| !known.contains_key(**file));
        let request: Vec<FileRequest> = unknown
            .map(|file| FileRequest {
                path: (*file).to_owned(),
                statics: true,
                ..FileRequest::default()
            })
            .collect();
        if !request.is_empty() {
            let request = NameRequest { files: request };
            let reply = self.request(&request)?;
            for (request, reply) in request.files.into_iter().zip(reply.files) {
                let statics = Statics {
                    statics: reply.statics.into_iter().map(named).collect(),
                    thread_locals: reply.thread_locals.into_iter().map(named).collect(),
                    thread_starts: reply.thread_starts.into_iter().map(named).collect(),
                };
                known.insert(request.path, statics);
            }
        }
        Ok(files.iter().map(|file| known.get(*file).cloned().unwrap_or_default()).collect())
    }
}

fn by_process(program: &str, request_bytes: &[u8]) -> io::Result<Vec<u8>> {
    // The environment belongs to the program, and may name libraries to preload.
    let mut command = Command::new(program);
    command.env_clear().env(NAME_PROVIDER_VAR, "1");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let mut provider =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut reply_bytes = Vec::new();
    // The command reads the whole request before it replies.
    let sent = provider.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(request_bytes));
    let received =
        provider.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut reply_bytes));
    // If the program reaps all its children itself, this one is gone already. The checksum shows
    // whether the reply is whole.
    let _status = provider.wait();
    sent.and(received)?;
    Ok(reply_bytes)
}

fn symbol(entry: FrameEntry) -> Symbol {
    let entry = match &test_binary::target().doctests {
        Some(note) => in_source(note, entry),
        None => entry,
    };
    let FrameEntry { function, file, line, column } = entry;
    Symbol { function, file, line, column }
}

fn named(entry: NamedEntry) -> Named {
    let is_of_doctest = test_binary::target().doctests.is_some();
    let name = if is_of_doctest { in_words(&entry.name) } else { entry.name };
    Named { start: entry.start as usize, end: entry.end as usize, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_that_fails_is_named() {
        let socket = Some(PathBuf::from("/nowhere/s"));
        let programs = || vec!["/nowhere/command".to_owned(), "cat".to_owned()];
        let provider = CommandProvider {
            connection: None,
            socket,
            programs: LazyLock::new(Box::new(programs)),
            statics: Mutex::default(),
        };
        let error = provider.frames(&[Place { file: "/bin/true", address: 1 }]).unwrap_err();
        let errors: Vec<&str> = error.splitn(3, ", ").collect();
        assert!(errors[0].starts_with("/nowhere/s: "), "{error}");
        assert!(errors[1].starts_with("/nowhere/command: "), "{error}");
        assert_eq!(errors[2], "cat: the file holds a NameRequest, expected a NameReply");
    }
}
