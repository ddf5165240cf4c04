//! The probability that a block is sampled.

/// The probability that a block of this size is sampled, if one byte in `interval` is. It is 0 for
/// a block without bytes.
pub fn sample_probability(size: f64, interval: u64) -> f64 {
    -(-size / interval as f64).exp_m1()
}
