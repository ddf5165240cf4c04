//! A steady load on an HTTP server, and the latency of its answers.
//!
//!     rustc -O ci/service-load.rs && ./service-load ADDRESS REQUESTS-PER-SECOND SECONDS
//!
//! Requests go out on one connection, at fixed times. The latency of a request counts from the time
//! at which it was due, so a server that stops for a moment delays all requests of that moment.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, rate, seconds] = arguments.as_slice() else {
        return Err("expected ADDRESS REQUESTS-PER-SECOND SECONDS".into());
    };
    let (rate, seconds): (u32, u32) = (rate.parse()?, seconds.parse()?);
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut answer = Vec::new();
    let start = Instant::now();
    for number in 0..rate * seconds {
        let due = start + Duration::from_secs(1) * number / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(REQUEST)?;
        read_answer(&mut stream, &mut answer)?;
        latencies.push(due.elapsed());
    }
    let took = start.elapsed().as_secs_f64();
    latencies.sort();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_micros();
    println!(
        "{} requests, {:.0} a second, p50 {} us, p99 {} us, most {} us",
        latencies.len(),
        latencies.len() as f64 / took,
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

/// Reads one answer with a `Content-Length`.
fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    answer.clear();
    loop {
        let mut part = [0; 4096];
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Err("the server has closed the connection".into());
        }
        answer.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let name = "content-length: ";
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        let expected: usize = line.ok_or("no Content-Length")?[name.len()..].parse()?;
        if body.len() >= expected {
            return Ok(());
        }
    }
}
