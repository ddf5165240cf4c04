//! A short name for a leak, which stays the same while lines move.

use crate::child::test_binary;
use crate::protocol::fnv;
use crate::protocol::test_entry::GrowthEntry;

/// Eight hexadecimal digits of an FNV-1a hash over package, target, test and the functions of the
/// growth.
pub fn leak_id(test: &str, growth: &[GrowthEntry]) -> String {
    let target = test_binary::target();
    // The first entries decided the verdict, and are all of one kind.
    let kind = growth.first().map(|entry| entry.kind);
    let told = growth.iter().filter(|entry| Some(entry.kind) == kind);
    let functions = told
        .flat_map(|entry| entry.traceback.iter().map(|frame| frame.function.as_str()).chain(["|"]));
    let parts = [target.package.as_str(), &target.crate_name, test].into_iter().chain(functions);
    let hash = parts.fold(fnv::EMPTY, |hash, part| fnv::add(fnv::add(hash, part.as_bytes()), &[0]));
    format!("{:08x}", hash >> 32 ^ hash & 0xFFFF_FFFF)
}
