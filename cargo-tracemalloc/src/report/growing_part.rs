//! The part of a held structure that grows: the types on the path from the holder to it.
//!
//! A static that holds a vector of strings grows by strings, and now and then by a larger buffer of
//! the vector. Both are one leak, and the vector is the growing part.

use tracemalloc_harness::GrowthEntry;

/// The types on the path to the growing part, for each growth of one holder in one test.
///
/// - A block that the holder itself points to grows by itself.
/// - A block that became larger grows by itself.
/// - Another block is new, and the block that points to it grows.
/// - Growth inside new blocks belongs to the owner of these blocks.
pub fn growing_parts<'a>(growth: &[&'a GrowthEntry]) -> Vec<Vec<&'a str>> {
    let paths: Vec<Vec<&str>> = growth.iter().map(|growth| types(growth)).collect();
    let is_new = |index: usize| growth[index].blocks > 0 && paths[index].len() > 1;
    let own = |index: usize| -> &[&'a str] {
        let path = &paths[index];
        if is_new(index) { &path[..path.len() - 1] } else { path }
    };
    let part_of = |index: usize| {
        let mut part = own(index);
        // Each step leads to a shorter path, so it ends.
        while let Some(outer) = (0..growth.len()).find(|other| {
            is_new(*other) && part.starts_with(&paths[*other]) && own(*other).len() < part.len()
        }) {
            part = own(outer);
        }
        let mut part = part.to_vec();
        // The nodes of a list are one step, however many there are.
        part.dedup();
        part
    };
    (0..growth.len()).map(part_of).collect()
}

fn types(growth: &GrowthEntry) -> Vec<&str> {
    growth.path.iter().map(|step| step.type_name.as_deref().unwrap_or("_")).collect()
}
