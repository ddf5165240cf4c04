//! Profiles for pprof, read by a reader that is not ours.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use pprof::protos::{Message, Profile};
use tracemalloc::Tracemalloc;

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// The bytes in use by the function that allocated them, the most first.
fn by_function(profile: &[u8]) -> Vec<(String, i64)> {
    let profile = Profile::decode(profile).expect("it is a profile");
    let text = |index: i64| profile.string_table[index as usize].clone();
    let types: Vec<_> =
        profile.sample_type.iter().map(|kind| (text(kind.ty), text(kind.unit))).collect();
    let expected = [("inuse_objects", "count"), ("inuse_space", "bytes")];
    assert_eq!(types, expected.map(|(kind, unit)| (kind.to_owned(), unit.to_owned())));
    assert_eq!(text(profile.default_sample_type), "inuse_space");
    let mut functions = Vec::<(String, i64)>::new();
    for sample in &profile.sample {
        let location =
            profile.location.iter().find(|location| location.id == sample.location_id[0]);
        let line = &location.expect("it is there").line[0];
        let function = profile.function.iter().find(|function| function.id == line.function_id);
        let name = text(function.expect("it is there").name);
        match functions.iter_mut().find(|(known, _)| *known == name) {
            Some((_, bytes)) => *bytes += sample.value[1],
            None => functions.push((name, sample.value[1])),
        }
    }
    functions.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    functions
}

#[inline(never)]
fn allocate_here() -> Vec<Vec<u8>> {
    (0..50).map(|_| black_box(vec![1; 1000])).collect()
}

#[test]
fn a_profile_has_the_traced_memory_by_function() {
    tracemalloc::start(16).unwrap();
    let kept = allocate_here();
    let functions = by_function(&tracemalloc::pprof().unwrap());
    tracemalloc::stop();
    let here = functions.iter().filter(|(name, _)| name.contains("allocate_here"));
    let bytes: i64 = here.map(|(_, bytes)| bytes).sum();
    assert_eq!(bytes, 50 * 1000 + 50 * 24, "{functions:?}");
    drop(kept);
    assert!(tracemalloc::pprof().is_err(), "nothing is traced");
}

/// Ends the process.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_service_that_samples_names_its_leak_first() {
    // Cargo decides if the example is built already, and where.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "tracemalloc-rt", "--example", "pprof_server"]);
    build.args(["--features", "pprof", "--message-format", "json"]);
    let built = build.stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success());
    let messages = String::from_utf8(built.stdout).unwrap();
    let path = messages.lines().filter_map(|line| line.split_once("\"executable\":\"")).next_back();
    let path = path.unwrap().1.split('"').next().unwrap();
    let mut server = Command::new(path);
    server.env("TRACEMALLOC", "16,4KiB").stdout(Stdio::piped());
    let mut service = Service(server.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(service.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        answer.split_off(body)
    };
    for _ in 0..3000 {
        get("/remember");
    }
    let functions = by_function(&get("/debug/pprof/heap"));
    let (name, bytes) = &functions[0];
    assert!(name.ends_with("::remember"), "{functions:?}");
    // 300,000 bytes and the vector of vectors, 98,304; five standard errors are 180,000.
    assert!((120_000..600_000).contains(bytes), "{functions:?}");
}
