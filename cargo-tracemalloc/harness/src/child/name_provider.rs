//! Asks the command what stands in the files that this process has loaded: by the socket of the
//! command that started the tests, or of the front; or, where there is none, a process that is
//! started for the question.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tracemalloc::internal::names::{self, Named, Provider, Statics};
use tracemalloc::internal::{Place, Symbol};

use crate::child::command;
use crate::child::test_binary;
use crate::protocol::name_request::{
    FileRequest, NAME_PROVIDER_VAR, NAMES_VAR, NameReply, NameRequest, NamedEntry,
};
use crate::protocol::process_role::ProcessRole;
use crate::protocol::test_entry::FrameEntry;
use crate::protocol::wire::{from_bytes, to_bytes};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has the runtime of this process ask the command.
pub fn install(role: &ProcessRole) {
    let of_command = || role.session.as_ref()?.names.clone().map(PathBuf::from);
    let socket = std::env::var_os(NAMES_VAR).map(PathBuf::from).or_else(of_command);
    let (session, executable) = (role.session.clone(), test_binary::path());
    // Most tests never ask, and most of those that do find the socket.
    let find = move || {
        command::places(session.as_ref(), &executable)
            .into_iter()
            .chain([command::NAME.to_owned()])
            .collect()
    };
    names::set_provider(Box::new(CommandProvider {
        socket,
        programs: LazyLock::new(Box::new(find)),
        statics: Mutex::default(),
    }));
}

/// The command.
struct CommandProvider {
    /// Of the command or the front, where there is one.
    socket: Option<PathBuf>,
    /// Where the command may be.
    programs: LazyLock<Vec<String>, Box<dyn FnOnce() -> Vec<String> + Send>>,
    /// What was told of files: they are asked for at each search of the heap.
    statics: Mutex<HashMap<String, Statics>>,
}

impl CommandProvider {
    fn ask(&self, wanted: &NameRequest) -> Result<NameReply, String> {
        let question = to_bytes(wanted);
        let mut errors = Vec::new();
        let by_socket = self
            .socket
            .iter()
            .map(|socket| (socket.display().to_string(), by_socket(socket, &question)));
        // The socket may be out of sight, in a process that has changed its root directory.
        let programs = std::iter::once_with(|| self.programs.iter()).flatten();
        let by_process = programs.map(|program| (program.clone(), by_process(program, &question)));
        for (asked, answer) in by_socket.chain(by_process) {
            let told: Result<NameReply, String> = answer
                .map_err(|error| error.to_string())
                .and_then(|answer| from_bytes(&answer).map_err(|error| error.to_string()));
            match told {
                Ok(told) if told.files.len() == wanted.files.len() => return Ok(told),
                Ok(_) => errors.push(format!("{asked}: the answer is not to the question")),
                Err(error) => errors.push(format!("{asked}: {error}")),
            }
        }
        Err(errors.join(", "))
    }
}

impl Provider for CommandProvider {
    fn frames(&self, places: &[Place<'_>]) -> Result<Vec<Vec<Symbol>>, String> {
        let mut wanted = NameRequest::default();
        // Of each place, the numbers of its file and of its answer.
        let numbers: Vec<(usize, usize)> = places
            .iter()
            .map(|place| {
                let known = wanted.files.iter().position(|file| file.path == place.file);
                let number = known.unwrap_or_else(|| {
                    wanted.files.push(FileRequest {
                        path: place.file.to_owned(),
                        ..FileRequest::default()
                    });
                    wanted.files.len() - 1
                });
                let file = &mut wanted.files[number];
                file.places.push(place.address as u64);
                (number, file.places.len() - 1)
            })
            .collect();
        let mut told = self.ask(&wanted)?;
        let mut take = |(file, answer): (usize, usize)| {
            told.files[file].frames.get_mut(answer).map(std::mem::take)
        };
        let frames = numbers.into_iter().map(|number| take(number).unwrap_or_default());
        Ok(frames.map(|frames| frames.into_iter().map(symbol).collect()).collect())
    }

    fn statics(&self, files: &[&str]) -> Result<Vec<Statics>, String> {
        let mut known = self.statics.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = files.iter().filter(|file| !known.contains_key(**file));
        let wanted: Vec<FileRequest> = unknown
            .map(|file| FileRequest {
                path: (*file).to_owned(),
                statics: true,
                ..FileRequest::default()
            })
            .collect();
        if !wanted.is_empty() {
            let wanted = NameRequest { files: wanted };
            let told = self.ask(&wanted)?;
            for (wanted, told) in wanted.files.into_iter().zip(told.files) {
                let statics = Statics {
                    statics: told.statics.into_iter().map(named).collect(),
                    thread_locals: told.thread_locals.into_iter().map(named).collect(),
                    thread_starts: told.thread_starts.into_iter().map(named).collect(),
                };
                known.insert(wanted.path, statics);
            }
        }
        Ok(files.iter().map(|file| known.get(*file).cloned().unwrap_or_default()).collect())
    }
}

fn by_socket(path: &Path, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(question)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn by_process(program: &str, question: &[u8]) -> io::Result<Vec<u8>> {
    // The environment is the program's, and may name libraries to load before all others.
    let mut command = Command::new(program);
    command.env_clear().env(NAME_PROVIDER_VAR, "1");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let mut teller =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut answer = Vec::new();
    // It reads all of the question before it answers.
    let asked = teller.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(question));
    let told = teller.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut answer));
    // Where the program waits for all its children itself, this one is gone already; the answer
    // tells whether it is whole.
    let _status = teller.wait();
    asked.and(told)?;
    Ok(answer)
}

fn symbol(entry: FrameEntry) -> Symbol {
    let FrameEntry { function, file, line, column } = entry;
    Symbol { function, file, line, column }
}

fn named(entry: NamedEntry) -> Named {
    Named { start: entry.start as usize, end: entry.end as usize, name: entry.name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_tell_is_named() {
        let socket = Some(PathBuf::from("/nowhere/s"));
        let programs = || vec!["/nowhere/command".to_owned(), "cat".to_owned()];
        let asked = CommandProvider {
            socket,
            programs: LazyLock::new(Box::new(programs)),
            statics: Mutex::default(),
        };
        let error = asked.frames(&[Place { file: "/bin/true", address: 1 }]).unwrap_err();
        let told: Vec<&str> = error.splitn(3, ", ").collect();
        assert!(told[0].starts_with("/nowhere/s: "), "{error}");
        assert!(told[1].starts_with("/nowhere/command: "), "{error}");
        assert_eq!(told[2], "cat: it holds a NameRequest, and not a NameReply");
    }
}
