//! A service that samples its memory all the time, and serves the profile as Go's services do.
//!
//! ```console
//! $ cargo run --release --example pprof_server --features pprof -- 127.0.0.1:8080
//! $ curl http://127.0.0.1:8080/remember
//! $ go tool pprof http://127.0.0.1:8080/debug/pprof/heap
//! ```

use std::sync::Mutex;

use tiny_http::{Response, Server};
use tracemalloc::Tracemalloc;

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// Grows with each request, which the profile shows.
static REMEMBERED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Unless `TRACEMALLOC=16,64KiB` in the environment has started already.
    tracemalloc::start_sampled(16, 512 << 10)?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let server = Server::http(address)?;
    println!("listening on {}", server.server_addr());
    for request in server.incoming_requests() {
        let answer = match request.url() {
            "/remember" => Response::from_string(remember()),
            "/debug/pprof/heap" => Response::from_data(tracemalloc::pprof()?),
            _ => Response::from_string("not found\n").with_status_code(404),
        };
        // A client that has gone away is no reason to end.
        let _ = request.respond(answer);
    }
    Ok(())
}

#[inline(never)]
fn remember() -> String {
    let mut remembered = REMEMBERED.lock().unwrap();
    remembered.push(vec![0; 100]);
    format!("{} requests\n", remembered.len())
}
