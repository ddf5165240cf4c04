//! No list of stacks, on systems where the heap is not searched.

pub fn note(_: (usize, usize)) {}
