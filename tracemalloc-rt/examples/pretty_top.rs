//! Display the lines that hold the most memory with their source, the rest in one line, and the
//! total.

use std::collections::{BTreeMap, VecDeque};

use tracemalloc::{Filter, KeyType, Snapshot, Sources, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

fn display_top(
    snapshot: &Snapshot,
    key_type: KeyType,
    limit: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    // Leave out code of unknown origin.
    let snapshot = snapshot.filter_traces(&[&Filter::new(false, "<unknown>")]);
    let top_stats = snapshot.statistics(key_type, false)?;
    for line in tracemalloc::pretty_top(&top_stats, limit, &mut Sources::new()) {
        println!("{line}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracemalloc::start(1)?;

    let squares: BTreeMap<u32, u64> = (0..2_000).map(|n| (n, u64::from(n).pow(2))).collect();
    let queue: VecDeque<Box<u64>> = (0..500).map(Box::new).collect();
    let names: Vec<String> = (0..300).map(|n| format!("name {n}")).collect();
    let page = vec![0_u8; 4096];
    let title = String::from("a title");

    let snapshot = tracemalloc::take_snapshot()?;
    display_top(&snapshot, KeyType::Lineno, 3)?;
    drop((squares, queue, names, page, title));
    Ok(())
}
