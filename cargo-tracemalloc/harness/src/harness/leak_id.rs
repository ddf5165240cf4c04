//! A short name for a leak that stays the same while lines move.

use crate::harness::fragment;
use crate::{GrowthEntry, GrowthKind};

/// Eight hexadecimal digits of an FNV-1a hash over package, target, test and the functions of what grew.
pub fn leak_id(test: &str, growth: &[GrowthEntry]) -> String {
    let target = fragment::target_of_this_binary();
    let leaks = growth.iter().filter(|entry| matches!(entry.kind, GrowthKind::Leak | GrowthKind::Unconfirmed));
    let functions = leaks.flat_map(|entry| entry.traceback.iter().map(|frame| frame.function.as_str()).chain(["|"]));
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for part in [target.package.as_str(), &target.crate_name, test].into_iter().chain(functions) {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    format!("{:08x}", hash >> 32 ^ hash & 0xFFFF_FFFF)
}
