//! Functions with names that C's own first functions have, and standard-library frames between two
//! frames of the program.

use tracemalloc::{KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

struct Page(Vec<u8>);

impl Clone for Page {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self(vec![1; self.0.len()]) // 100 B
    }
}

#[inline(always)]
fn start_thread() -> Vec<u8> {
    vec![2; 200] // 200 B
}

mod inner {
    #[inline(always)]
    pub fn main() -> Vec<u8> {
        vec![3; 300] // 300 B
    }
}

#[inline(never)]
fn between(sizes: &[usize], pages: &mut Vec<Vec<u8>>) -> usize {
    sizes.iter().map(|size| vec![4; *size]).for_each(|page| pages.push(page)); // 400 B
    // Without a tail call, this function keeps its frame.
    std::hint::black_box(pages.len())
}

fn main() {
    let page = Page(vec![0; 100]);
    let mut pages = Vec::with_capacity(10);
    tracemalloc::start(10).unwrap();
    let in_main = vec![5_u8; 500]; // 500 B
    let kept = (page.clone(), start_thread(), inner::main());
    assert_eq!(between(&[400], &mut pages), 1);
    let snapshot = tracemalloc::take_snapshot().unwrap();
    for statistic in snapshot.statistics(KeyType::Traceback, false).unwrap() {
        let frames: Vec<String> = statistic.traceback.iter().map(ToString::to_string).collect();
        println!("{} B: {}", statistic.size, frames.join(" "));
    }
    drop((in_main, kept, page, pages));
}
