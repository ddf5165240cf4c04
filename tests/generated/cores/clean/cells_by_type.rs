//! A cell for each of several types, filled by the run that first uses the type.
//!
//! Clean: it keeps TYPES values at most.
//@ TYPES 1..=5
//@ SIZE 1..=4000

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

/// All cells are full after so many runs.
pub const FULL_AFTER: usize = TYPES;

static RUN: AtomicUsize = AtomicUsize::new(0);

trait Name: 'static {
    fn cell() -> &'static OnceLock<Vec<String>>;
}

struct Named<const N: usize>;

impl<const N: usize> Name for Named<N> {
    fn cell() -> &'static OnceLock<Vec<String>> {
        static CELLS: [OnceLock<Vec<String>>; 5] = [const { OnceLock::new() }; 5];
        &CELLS[N]
    }
}

fn name<T: Name>() -> usize {
    T::cell().get_or_init(|| make(SIZE)).len()
}

pub fn core() {
    let uses =
        [name::<Named<0>>, name::<Named<1>>, name::<Named<2>>, name::<Named<3>>, name::<Named<4>>];
    uses[RUN.fetch_add(1, Ordering::Relaxed) % TYPES]();
}
