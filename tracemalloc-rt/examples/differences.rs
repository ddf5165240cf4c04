//! Take two snapshots and display what has changed in between.

use std::collections::BTreeMap;

use tracemalloc::{KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// Results are kept for ever.
#[derive(Default)]
struct Service {
    answers: BTreeMap<u64, String>,
}

impl Service {
    fn answer(&mut self, question: u64) {
        let answer = format!("{question} times {question} is {}", question * question);
        self.answers.insert(question, answer);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracemalloc::start(1)?;
    let mut service = Service::default();
    let settings = vec![0_u8; 10_000];
    (0..100).for_each(|question| service.answer(question));

    let snapshot1 = tracemalloc::take_snapshot()?;
    drop(settings);
    (100..1_000).for_each(|question| service.answer(question));
    let snapshot2 = tracemalloc::take_snapshot()?;

    let top_stats = snapshot2.compare_to(&snapshot1, KeyType::Lineno, false)?;

    println!("[ Top 10 differences ]");
    for stat in top_stats.iter().take(10) {
        println!("{stat}");
    }
    Ok(())
}
