//! Nested calls, so that an allocation has a stack worth the name.

use std::hint::black_box;

/// Does the work `depth` calls deep. The bits of `way` say by which of two functions each call goes, so that two ways are two stacks.
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

// Neither is a tail call, nor are the two the same code, or the compiler would leave one frame of them.

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
