//! Nested calls, so that allocations have deep stacks.

use std::hint::black_box;

/// Does the work `depth` calls deep. The bits of `way` choose one of two functions for each call,
/// so that two ways are two stacks.
#[inline(always)]
pub fn at_depth<T, W: FnMut() -> T>(depth: usize, way: usize, work: &mut W) -> T {
    if depth == 0 {
        work()
    } else if way & 1 == 0 {
        even(depth - 1, way >> 1, work)
    } else {
        odd(depth - 1, way >> 1, work)
    }
}

// Neither is a tail call, and their code differs. Otherwise the compiler would merge their frames.

#[inline(never)]
fn even<T, W: FnMut() -> T>(depth: usize, way: usize, work: &mut W) -> T {
    let result = at_depth(depth, way, work);
    black_box(depth);
    result
}

#[inline(never)]
fn odd<T, W: FnMut() -> T>(depth: usize, way: usize, work: &mut W) -> T {
    black_box(way);
    let result = at_depth(depth, way, work);
    black_box(depth);
    result
}
