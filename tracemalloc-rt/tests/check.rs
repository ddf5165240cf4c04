//! Checks in a program whose own allocator traces, under libtest: several at a time in one process.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};

use tracemalloc::{Growth, KeyType, Limits, Tracemalloc, assert_no_growth};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// The text of a check that fails. Time decides how often code that leaks runs: the number of runs
/// is left out where there are eight or more.
#[track_caller]
fn failure(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).expect_err("the check fails");
    let text = *payload.downcast::<String>().expect("a failure is a text");
    let without_runs = || {
        let (before, rest) = text.split_once(" (")?;
        let (runs, after) = rest.split_once(" runs)")?;
        let (grew, all) = runs.split_once(" of ")?;
        let is_large = grew == all && all.parse::<u32>().is_ok_and(|runs| runs >= 8);
        is_large.then(|| format!("{before}{after}"))
    };
    without_runs().unwrap_or(text)
}

fn leak(bytes: usize) {
    std::mem::forget(black_box(vec![0_u8; bytes]));
}

#[test]
fn freed_memory_is_no_growth() {
    assert_eq!(tracemalloc::check(Limits::new(), || black_box(vec![0_u8; 100]).len()), 100);
}

#[test]
fn kept_memory_is_named_with_its_line() {
    let text = failure(|| tracemalloc::check(Limits::new().max_growth(99), || leak(100)));
    assert!(text.starts_with("leaked 100 B in 1 block a run, limit 99 B\n"), "{text}");
    assert!(
        text.contains("1 block   Vec\n    check::leak tracemalloc-rt/tests/check.rs:"),
        "{text}"
    );
    assert!(text.contains("check::kept_memory_is_named_with_its_line"), "{text}");
    assert!(!text.contains("measured_code"), "{text}");
}

#[test]
fn limits_are_for_bytes_and_blocks() {
    tracemalloc::check(Limits::new().max_growth(100), || leak(100));
    tracemalloc::check(Limits::new().max_blocks(1), || leak(100));
    let two = Limits::new().max_growth(1000).max_blocks(1);
    let text = failure(|| {
        tracemalloc::check(two, || {
            leak(100);
            leak(50);
        })
    });
    assert!(
        text.starts_with("leaked 150 B in 2 blocks a run, limit 1000 B in 1 block\n"),
        "{text}"
    );
}

#[test]
fn a_cache_that_fills_once_is_none() {
    static CACHE: OnceLock<Vec<u8>> = OnceLock::new();
    static LIST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    tracemalloc::check(Limits::new().runs(1), || CACHE.get_or_init(|| vec![1; 1000]).len());
    tracemalloc::check(Limits::new(), || {
        let mut list = LIST.lock().expect("no panic");
        if list.is_empty() {
            list.resize(1000, 1);
        }
    });
}

#[test]
fn one_run_decides_if_one_is_requested() {
    let mut runs = 0;
    let text = failure(|| {
        tracemalloc::check(Limits::new().runs(1), || {
            runs += 1;
            leak(10);
        })
    });
    assert!(text.starts_with("leaked 10 B in 1 block a run (1 of 1 run)"), "{text}");
    assert_eq!(runs, 1);
}

#[test]
fn code_that_cannot_run_again_is_unconfirmed() {
    let mut first = true;
    tracemalloc::check(Limits::new(), || {
        assert!(std::mem::take(&mut first), "only once");
        leak(10);
    });
}

#[test]
fn a_panic_is_handed_on() {
    let text = catch_unwind(|| tracemalloc::check(Limits::new(), || panic!("as planned")))
        .expect_err("it panics");
    assert_eq!(text.downcast_ref::<&str>(), Some(&"as planned"));
}

#[test]
fn threads_belong_to_the_check_that_starts_them() {
    let in_thread = || std::thread::spawn(|| leak(64)).join().expect("no panic");
    let text = failure(|| tracemalloc::check(Limits::new(), in_thread));
    assert!(text.starts_with("leaked 64 B in 1 block a run"), "{text}");
    let scoped = || {
        std::thread::scope(|scope| {
            scope.spawn(|| scope.spawn(|| leak(32)));
        });
    };
    let text = failure(|| tracemalloc::check(Limits::new(), scoped));
    assert!(text.starts_with("leaked 32 B in 1 block a run"), "{text}");
    tracemalloc::check(Limits::new(), || {
        let block = black_box(vec![0_u8; 1000]);
        std::thread::spawn(move || drop(block)).join().expect("no panic");
    });
}

#[test]
fn checks_nest() {
    let text = failure(|| {
        tracemalloc::check(Limits::new(), || {
            tracemalloc::check(Limits::new().max_growth(10), || leak(10));
        })
    });
    assert!(text.starts_with("leaked 10 B in 1 block a run"), "{text}");
    let outer = || {
        tracemalloc::check(Limits::new(), || drop(black_box(vec![0_u8; 100])));
        drop(black_box(vec![0_u8; 100]));
    };
    tracemalloc::check(Limits::new(), outer);
}

#[test]
fn peaks_are_exact() {
    let work = || {
        let first = black_box(vec![0_u8; 1000]);
        std::thread::spawn(|| drop(black_box(vec![0_u8; 100_000]))).join().expect("no panic");
        drop(first);
        drop(black_box(vec![0_u8; 5000]));
    };
    let (_, growth) = Growth::of(work).expect("the allocator traces");
    assert!((101_000..103_000).contains(&growth.peak), "{growth:?}");
    let (_, growth) =
        Growth::of(|| drop((black_box(vec![0_u8; 1000]), black_box(vec![0_u8; 234]))))
            .expect("it traces");
    assert_eq!(growth.peak, 1234);
    tracemalloc::check(Limits::new().max_peak(1234), || {
        drop((black_box(vec![0_u8; 1000]), black_box(vec![0_u8; 234])))
    });
    let text = failure(|| {
        tracemalloc::check(Limits::new().max_peak(1233), || drop(black_box(vec![0_u8; 1234])))
    });
    assert!(
        text.starts_with("held 1234 B at once (1234 bytes), limit 1233 B (1233 bytes)\n"),
        "{text}"
    );
}

/// So many allocations of 10 bytes each.
fn spend(allocations: usize) {
    for _ in 0..allocations {
        drop(black_box(vec![0_u8; 10]));
    }
}

#[test]
fn budgets_are_exact() {
    let limits = || Limits::new().max_allocations(7).max_total(70);
    tracemalloc::check(limits(), || spend(7));
    let text = failure(|| tracemalloc::check(limits().max_total(1000), || spend(8)));
    assert!(text.starts_with("made 8 allocations, limit 7\n\n  80 B in 8 allocations"), "{text}");
    assert!(text.contains("\n    check::spend tracemalloc-rt/tests/check.rs:"), "{text}");
    let text = failure(|| tracemalloc::check(Limits::new().max_total(79), || spend(8)));
    let headline = "allocated 80 B in total (80 bytes), limit 79 B (79 bytes)\n";
    assert!(text.starts_with(headline), "{text}");
    let text = failure(|| tracemalloc::check(limits(), || spend(8)));
    assert!(text.starts_with("made 8 allocations, limit 7\nallocated 80 B in total"), "{text}");
    assert_no_growth!(max_allocations = 0, max_total = "0 B", || black_box(1) + 1);
}

#[test]
fn a_reallocation_is_an_allocation_of_the_new_size() {
    let work = || {
        let mut bytes: Vec<u8> = black_box(Vec::with_capacity(100));
        bytes.resize(100, 1);
        bytes.reserve_exact(200);
        bytes.truncate(10);
        bytes.shrink_to_fit();
    };
    let (_, growth) = Growth::of(work).expect("it traces");
    assert_eq!((growth.allocations, growth.total), (3, 100 + 300 + 10), "{growth:?}");
}

#[test]
fn allocations_of_initialisers_and_other_files_are_not_in_a_budget() {
    let budget = || Limits::new().max_allocations(1);
    tracemalloc::check(budget(), || {
        static TABLE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        let table = TABLE.get_or_init(|| (0..5).map(|_| black_box(vec![1; 8])).collect());
        drop(black_box(table[0].clone()));
    });
    tracemalloc::check(budget().include("nowhere/*"), || spend(9));
    tracemalloc::check(budget().exclude("*/tests/check.rs"), || spend(9));
}

#[test]
fn what_threads_and_inner_checks_spend_is_in_a_budget() {
    let work = || {
        spend(1);
        tracemalloc::check(Limits::new(), || spend(2));
        tracemalloc::check(Limits::new().max_allocations(3), || spend(3));
    };
    tracemalloc::check(Limits::new().max_allocations(6), work);
    let text = failure(|| tracemalloc::check(Limits::new().max_allocations(5), work));
    assert!(text.starts_with("made 6 allocations, limit 5\n"), "{text}");
    let text = failure(|| {
        tracemalloc::check(Limits::new().max_allocations(50), || {
            std::thread::spawn(|| spend(100)).join().expect("no panic");
        });
    });
    assert!(text.contains("\n\n  1000 B in 100 allocations   Vec\n"), "{text}");
}

#[test]
fn the_places_that_spent_most_come_first_and_the_rest_is_summed_up() {
    let text = failure(|| {
        tracemalloc::check(Limits::new().max_allocations(9), || {
            drop(black_box(vec![0_u8; 1]));
            drop(black_box(vec![0_u8; 2]));
            drop(black_box(vec![0_u8; 3]));
            drop(black_box(vec![0_u8; 4]));
            drop(black_box(vec![0_u8; 5]));
            drop(black_box(vec![0_u8; 6]));
            spend(4);
        })
    });
    let amounts: Vec<&str> = text.lines().filter(|line| line.contains(" in ")).collect();
    let amounts: Vec<&str> = amounts.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    let amounts: Vec<&str> = amounts.into_iter().filter(|line| !line.starts_with(' ')).collect();
    let expected = [
        "40 B in 4 allocations   Vec",
        "6 B in 1 allocation   Vec",
        "5 B in 1 allocation   Vec",
        "4 B in 1 allocation   Vec",
        "3 B in 1 allocation   Vec",
        "3 B in 2 allocations at 2 other places",
    ];
    assert_eq!(amounts, expected, "{text}");
}

#[test]
fn growth_is_put_together_by_key() {
    fn deep(depth: usize) {
        if depth > 0 {
            deep(depth - 1);
        } else {
            leak(8);
        }
        black_box(depth);
    }
    let mut depth = 0;
    let deeper = || {
        depth += 1;
        deep(depth);
    };
    let text = failure(|| tracemalloc::check(Limits::new().key(KeyType::Lineno), deeper));
    assert!(text.starts_with("leaked 8 B in 1 block a run"), "{text}");
}

#[test]
fn patterns_decide_what_counts() {
    tracemalloc::check(Limits::new().exclude("*/tests/check.rs"), || leak(8));
    tracemalloc::check(Limits::new().include("nowhere/*"), || leak(8));
    failure(|| tracemalloc::check(Limits::new().include("tracemalloc-rt/tests/*"), || leak(8)));
}

#[test]
fn a_piece_of_code_is_checked_where_it_is() {
    let kept =
        assert_no_growth!(max_growth = "1 KiB", max_blocks = 1, || black_box(vec![0_u8; 1024]));
    assert_eq!(kept.len(), 1024);
    let moved = vec![1, 2, 3];
    assert_eq!(assert_no_growth!(max_blocks = 1, runs = 1, || moved).len(), 3);
    assert_no_growth!(drop(black_box(vec![0_u8; 10])));
    assert_no_growth!({
        let block = black_box(vec![0_u8; 10]);
        drop(block);
    });
    let text = failure(|| assert_no_growth!(leak(16)));
    assert!(text.starts_with("leaked 16 B"), "{text}");
    assert_no_growth!(skip = "known upstream", leak(16));
}

#[tracemalloc::check]
#[test]
fn above() {
    drop(black_box(vec![0_u8; 100]));
}

#[test]
#[tracemalloc::check(max_growth = "1 KiB", max_blocks = 2, runs = 3)]
fn below() -> Result<(), std::num::ParseIntError> {
    leak(black_box("512").parse()?);
    leak(512);
    Ok(())
}

#[test]
#[tracemalloc::check]
#[should_panic(expected = "too large: 9")]
fn panics() {
    panic!("too large: {}", black_box(9));
}

#[tracemalloc::check(skip = "leaks in a dependency, see its issue 7")]
#[test]
fn skipped() {
    leak(100);
}

#[tracemalloc::check(max_growth = 8)]
unsafe fn generic<T: Clone, const N: usize>(
    value: &mut T,
    by: fn(&T) -> T,
) -> impl Iterator<Item = usize> + use<T, N> {
    *value = by(value);
    0..N
}

#[test]
fn functions_keep_what_they_are() {
    let mut number = 3;
    // SAFETY: it does nothing that would need care.
    let numbers = unsafe { generic::<_, 2>(&mut number, |number| number + 1) };
    assert_eq!((number, numbers.collect::<Vec<_>>()), (4, vec![0, 1]));
}
