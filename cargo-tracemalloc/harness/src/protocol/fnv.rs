//! The hash FNV-1a. It gives the same number on every machine, and does not resist attacks.

/// The hash of no bytes.
pub const EMPTY: u64 = 0xCBF2_9CE4_8422_2325;

/// Adds bytes to a hash.
pub const fn add(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01B3);
        index += 1;
    }
    hash
}
