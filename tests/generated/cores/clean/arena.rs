//! An arena in a static that every run fills and resets.
//!
//! Clean: a reset keeps the chunks, and the next run uses them again.
//@ CHUNKS 1..=10
//@ SIZE 1..=4000

use std::hint::black_box;
use std::sync::Mutex;

use crate::value::make;

/// It has CHUNKS chunks after the first run.
pub const FULL_AFTER: usize = 1;

struct Arena {
    chunks: Vec<Vec<u8>>,
    current: usize,
}

static ARENA: Mutex<Arena> = Mutex::new(Arena { chunks: Vec::new(), current: 0 });

impl Arena {
    fn chunk(&mut self) -> &mut [u8] {
        if self.current == self.chunks.len() {
            self.chunks.push(make(SIZE));
        }
        self.current += 1;
        &mut self.chunks[self.current - 1]
    }
}

pub fn core() {
    let mut arena = ARENA.lock().unwrap();
    for _ in 0..CHUNKS {
        arena.chunk().fill(7);
    }
    black_box(&arena.chunks);
    arena.current = 0;
}
