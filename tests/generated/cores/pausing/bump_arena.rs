//! An arena in a static that is never reset.
//!
//! A leak: each run takes a piece of the last chunk. So most runs keep no new block.
//@ CHUNK 256..=4096
//@ PIECES 2..=16

use std::sync::Mutex;

use crate::value::make;

struct Arena {
    chunks: Vec<Vec<u8>>,
    left: usize,
}

static ARENA: Mutex<Arena> = Mutex::new(Arena { chunks: Vec::new(), left: 0 });

pub fn core() {
    let mut arena = ARENA.lock().unwrap();
    let piece = CHUNK / PIECES;
    if arena.left < piece {
        arena.chunks.push(make(CHUNK));
        arena.left = CHUNK;
    }
    arena.left -= piece;
}
