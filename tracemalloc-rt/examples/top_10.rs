//! Display the ten lines that hold the most memory.

use std::collections::HashMap;

use tracemalloc::{KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracemalloc::start(1)?;

    let text = include_str!("top_10.rs").repeat(20);
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    let mut lines_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        for word in line.split_whitespace() {
            lines_of.entry(word).or_default().push(number);
        }
    }

    let snapshot = tracemalloc::take_snapshot()?;
    let top_stats = snapshot.statistics(KeyType::Lineno, false)?;

    println!("[ Top 10 ]");
    for stat in top_stats.iter().take(10) {
        println!("{stat}");
    }
    drop((words, lines_of));
    Ok(())
}
