//! A generator of pseudo-random numbers: SplitMix64, so that a seed gives the same everywhere.

use std::ops::RangeInclusive;

/// The generator.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number of this range. In a wide range, small numbers are as frequent as large ones: each
    /// number of digits has the same share.
    pub fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        let (least, most) = (*range.start(), *range.end());
        let mut most_here = most;
        if most - least >= 256 {
            let (first, last) = ((least + 1).ilog2(), most.ilog2());
            let digits = u64::from(first) + self.below(u64::from(last - first) + 1);
            most_here = most.min((2 << digits) - 1).max(least);
        }
        least + self.below(most_here - least + 1)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// Puts them into another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for index in (1..all.len()).rev() {
            all.swap(index, self.below(index as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut rng = Rng::new(seed);
            (0..100).map(|_| rng.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn a_range_is_kept_and_used() {
        let mut rng = Rng::new(1);
        for range in [0..=1, 1..=1, 1..=40, 1..=4000, 16..=4000, 1..=65535] {
            let numbers: Vec<u64> = (0..2000).map(|_| rng.within(&range)).collect();
            assert!(numbers.iter().all(|number| range.contains(number)), "{range:?}");
            let most = *numbers.iter().max().expect("there are some");
            assert!(most >= range.end() / 2, "{range:?}: {most}");
        }
    }
}
