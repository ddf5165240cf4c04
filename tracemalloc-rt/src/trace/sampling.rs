//! Poisson sampling: only some blocks are recorded, each with a probability that grows with its
//! size.
//!
//! Think of points that lie at random on all bytes that a thread allocates one after another, on
//! average one in each interval of so many bytes. A block is sampled if a point lies in it. So the
//! distance from point to point has an exponential distribution, and a thread only has to count
//! down to the next point. A block of size `s` is sampled with the probability
//! `1 - exp(-s / interval)`. If it counts for its size divided by that, sums over blocks are right
//! on average, whatever the sizes. Allocators such as tcmalloc and jemalloc sample in this way.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::trace::state::Word;
use crate::util::sample_probability::sample_probability;

/// The interval of the program's view; 0 if each block is recorded.
static INTERVAL: AtomicU64 = AtomicU64::new(0);

/// The largest interval: floating-point numbers count up to it.
pub const MAX_INTERVAL: u64 = 1 << 53;

/// The countdown of one thread. Zeroes are one that has not begun.
#[repr(C)]
pub struct Sampler {
    /// The word that the countdown was checked under.
    checked: Cell<Word>,
    /// Bytes to the next point.
    left: Cell<i64>,
    /// The interval of that countdown.
    interval: Cell<u64>,
    /// The state of the generator of random numbers.
    random: Cell<u64>,
}

/// The mean distance of points, or 0.
#[inline(always)]
pub fn interval() -> u64 {
    INTERVAL.load(Ordering::Relaxed)
}

/// Sets the mean distance of points, for a view that is about to begin.
pub fn set_interval(interval: u64) {
    INTERVAL.store(interval, Ordering::Relaxed);
}

/// The bytes that a recorded block counts for in the sum of the view.
#[inline(always)]
pub fn weight(size: usize) -> usize {
    match interval() {
        0 => size,
        interval => weight_at(size, interval),
    }
}

/// The size divided by the probability that such a block is sampled. 0 bytes are never sampled.
#[cold]
fn weight_at(size: usize, interval: u64) -> usize {
    let probability = sample_probability(size as f64, interval);
    if probability > 0.0 { (size as f64 / probability).round() as usize } else { size }
}

impl Sampler {
    /// Whether no point lies in a block of this size. Then it is counted. Otherwise, or if not all
    /// is ready under this word, [`takes`](Self::takes) has to decide.
    #[inline(always)]
    pub fn skips(&self, word: Word, size: usize) -> bool {
        let left = self.left.get().wrapping_sub(size as i64);
        if left < 0 || self.checked.get() != word {
            return false;
        }
        self.left.set(left);
        true
    }

    /// Counts a block of this size, and returns whether a point lies in it.
    pub fn takes(&self, word: Word, size: usize) -> bool {
        let interval = interval();
        if self.checked.replace(word) != word && self.interval.replace(interval) != interval {
            self.left.set(self.draw());
        }
        let left = self.left.get().saturating_sub_unsigned(size as u64);
        if left >= 0 {
            self.left.set(left);
            return false;
        }
        // The distance has no memory: it begins anew behind this block.
        self.left.set(self.draw());
        true
    }

    /// A random distance to the next point.
    fn draw(&self) -> i64 {
        // Between 0 and 1, without both.
        let unit = ((self.random() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        (-unit.ln() * self.interval.get() as f64) as i64
    }

    /// Marsaglia's xorshift, with the multiplication of Vigna.
    fn random(&self) -> u64 {
        let mut state = self.random.get();
        while state == 0 {
            state = seed();
        }
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.random.set(state);
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// A seed that differs from thread to thread, and from process to process.
fn seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
    let place = (&raw const number).addr() as u64;
    let mixed = (number ^ place.rotate_left(32) ^ u64::from(std::process::id()))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_taken_as_often_as_their_size_says() {
        // SAFETY: zeroes are a sampler that has not begun.
        let sampler: Sampler = unsafe { core::mem::zeroed() };
        let interval = 1000_u64;
        sampler.interval.set(interval);
        sampler.random.set(1);
        sampler.left.set(sampler.draw());
        let rounds = if cfg!(miri) { 1_000 } else { 200_000 };
        for size in [1, 100, 1_000, 5_000] {
            let mut taken = 0;
            for _ in 0..rounds {
                let left = sampler.left.get() - size;
                sampler.left.set(if left < 0 { sampler.draw() } else { left });
                taken += u64::from(left < 0);
            }
            let probability = 1.0 - (-(size as f64) / interval as f64).exp();
            let expected = probability * f64::from(rounds);
            // Five standard deviations, and what rounding down to whole bytes adds.
            let far = 5.0 * (expected * (1.0 - probability)).sqrt() + 1.0 + expected / 500.0;
            assert!((taken as f64 - expected).abs() < far, "{size}: {taken}, not {expected}");
            let told = taken as f64 * weight_at(size as usize, interval) as f64;
            let all = size as f64 * f64::from(rounds);
            assert!((told / all - 1.0).abs() < 5.0 / (taken as f64).sqrt() + 0.01, "{told} {all}");
        }
    }

    #[test]
    fn large_blocks_count_for_their_size() {
        assert_eq!(weight_at(1 << 30, 1 << 10), 1 << 30);
        assert_eq!(weight_at(1, 1 << 10), 1025, "1 / (1 - exp(-1/1024)), rounded");
        assert_eq!(weight_at(0, 1 << 10), 0);
    }
}
