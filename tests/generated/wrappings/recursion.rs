//! A recursion of DEPTH calls.
//@ DEPTH 1..=30

pub fn wrap(core: fn()) {
    descend(DEPTH, core);
}

#[inline(never)]
fn descend(depth: usize, core: fn()) {
    if depth == 0 {
        core();
    } else {
        descend(depth - 1, core);
    }
    // Keeps the call above from becoming a jump.
    std::hint::black_box(depth);
}
