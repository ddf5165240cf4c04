//! FNV-1a: not against an enemy, only to tell apart, and the same on every machine.

/// The hash of nothing.
pub const EMPTY: u64 = 0xCBF2_9CE4_8422_2325;

/// The hash of what `hash` is of, and these bytes.
pub const fn add(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01B3);
        index += 1;
    }
    hash
}
