#[tracemalloc::check(max_blocks = -3)]
fn negative_blocks() {}

#[tracemalloc::check(max_blocks = "3")]
fn blocks_in_a_text() {}

#[tracemalloc::check(frames = 0)]
fn no_frames() {}

#[tracemalloc::check(frames = 129)]
fn too_many_frames() {}

#[tracemalloc::check(runs = 0)]
fn no_runs() {}

#[tracemalloc::check(runs = "once")]
fn runs_in_words() {}

fn main() {}
