//! Display the traceback of the biggest memory block.

use tracemalloc::{KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

fn load(names: &[&str]) -> Vec<Vec<u8>> {
    let mut pictures = Vec::new();
    for name in names {
        pictures.push(read(name));
    }
    pictures
}

fn read(name: &str) -> Vec<u8> {
    decode(name, if name == "map" { 870_000 } else { 400 })
}

fn decode(name: &str, len: usize) -> Vec<u8> {
    let mut picture = Vec::with_capacity(len);
    picture.extend_from_slice(name.as_bytes());
    picture
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Store 25 frames.
    tracemalloc::start(25)?;

    let pictures = load(&["icon", "map", "logo"]);

    let snapshot = tracemalloc::take_snapshot()?;
    let top_stats = snapshot.statistics(KeyType::Traceback, false)?;

    // Pick the biggest memory block.
    let stat = &top_stats[0];
    println!("{} memory blocks: {:.1} KiB", stat.count, stat.size as f64 / 1024.0);
    for line in stat.traceback.format(None, false) {
        println!("{line}");
    }
    drop(pictures);
    Ok(())
}
