//! Makes inputs of seeds, always the same ones, without libFuzzer.

#[path = "../../../tracemalloc-rt/src/util/numbers.rs"]
mod numbers;

use std::panic;

use numbers::Numbers;

use crate::Target;

/// The longest input.
const LONGEST: usize = 4096;
/// Bytes that mean something: lengths, ends of ranges, marks of the formats.
const BYTES: &[u8] = b"\0\x01\x02\x03\x08\x7f\x80\xff\n\r\x1b \"'*,-.0123456789:=?[\\]{}KMiBa";

/// Checks this many inputs of a target.
///
/// # Panics
///
/// If an input has a fault: with the number of the input, and the input itself.
pub fn check(target: &Target, count: u32) {
    let seeds = (target.seeds)();
    for number in 0..count {
        let input = input(&seeds, number);
        if let Err(fault) = panic::catch_unwind(|| (target.check)(&input)) {
            eprintln!("input {number} of {}: {}", target.name, input.escape_ascii());
            panic::resume_unwind(fault);
        }
    }
}

/// The input with this number. The first ones are the seeds.
fn input(seeds: &[Vec<u8>], number: u32) -> Vec<u8> {
    if let Some(seed) = seeds.get(number as usize) {
        return seed.clone();
    }
    let mut numbers = Numbers(u64::from(number));
    // The first numbers of neighbours are alike.
    numbers.below(2);
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(8) {
        change(&mut input, seeds, &mut numbers);
    }
    input.truncate(LONGEST);
    input
}

/// Changes the input in one place.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let length = numbers.below(16).min(input.len() - at);
    match numbers.below(6) {
        0 => input.insert(at, BYTES[numbers.below(BYTES.len())]),
        1 => drop(input.drain(at..at + length)),
        2 => input.extend_from_within(at..at + length),
        3 => {
            let seed = &seeds[numbers.below(seeds.len())];
            let from = numbers.below(seed.len());
            let part = &seed[from..seed.len().min(from + 1 + numbers.below(32))];
            input.splice(at..at + length, part.iter().copied());
        }
        change if at < input.len() => {
            let byte = if change == 4 { BYTES[numbers.below(BYTES.len())] } else { 0 };
            let bit = 1 << numbers.below(8);
            input[at] = if change == 4 { byte } else { input[at] ^ bit };
        }
        _ => {}
    }
}
