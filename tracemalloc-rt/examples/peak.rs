//! Record the current and the peak size of all traced memory blocks, for two ways to sum up
//! numbers.

use tracemalloc::Tracemalloc;

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

fn main() -> Result<(), tracemalloc::Error> {
    tracemalloc::start(1)?;

    // All numbers at once.
    let large_sum: u64 = (0..100_000_u64).collect::<Vec<_>>().iter().sum();

    let (first_size, first_peak) = tracemalloc::get_traced_memory();

    tracemalloc::reset_peak();

    // A thousand at a time.
    let small_sum: u64 = (0..100)
        .map(|part| (part * 1_000..(part + 1) * 1_000).collect::<Vec<u64>>().iter().sum::<u64>())
        .sum();

    let (second_size, second_peak) = tracemalloc::get_traced_memory();

    assert_eq!(large_sum, small_sum);
    println!("first_size={first_size}, first_peak={first_peak}");
    println!("second_size={second_size}, second_peak={second_peak}");
    Ok(())
}
