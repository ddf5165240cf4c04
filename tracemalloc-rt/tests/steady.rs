//! Loops in a program whose own allocator traces, several at a time in one process.

#![expect(clippy::vec_box, reason = "a box of its own is what leaks")]

use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use tracemalloc::{Holder, Limits, Steady, Tracemalloc, Verdict, assert_steady, steady};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// Whether the heap can be searched.
const SEARCHES: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

fn traced(result: Result<Steady, tracemalloc::Error>) -> Steady {
    result.expect("the allocator traces")
}

#[track_caller]
fn failure(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).expect_err("the assertion fails");
    *payload.downcast::<String>().expect("a failure is a text")
}

#[test]
fn code_that_keeps_nothing_is_clean() {
    let steady = traced(steady(|| black_box(vec![0_u8; 100])));
    assert_eq!((steady.verdict, steady.rounds), (Verdict::Clean, 1000), "{steady}");
    assert_eq!(steady.to_string(), "steady: no growth in 1000 rounds");
    assert!(steady.findings.is_empty());
}

#[test]
fn a_cache_that_fills_is_steady_ten_of_ten_times() {
    static CACHE: Mutex<Vec<HashMap<usize, String>>> = Mutex::new(Vec::new());
    for time in 0..10 {
        CACHE.lock().unwrap().push(HashMap::new());
        let mut round = 0;
        let steady = traced(steady(|| {
            round += 1;
            let mut caches = CACHE.lock().unwrap();
            let text = || format!("the value of {}", round % 40);
            caches[time].entry(round % 40).or_insert_with(text);
        }));
        assert_eq!(steady.verdict, Verdict::Once, "{steady}");
        assert!(steady.is_steady() && steady.findings.iter().all(|finding| !finding.is_leak));
        let text = steady.to_string();
        assert!(text.starts_with("steady: 40 rounds of "), "{text}");
    }
}

/// A cache that grew by the same for 256 rounds was called a leak.
#[test]
fn caches_of_one_to_twenty_thousand_entries_are_steady() {
    static CACHE: Mutex<Option<HashMap<usize, String>>> = Mutex::new(None);
    for entries in [1, 2, 7, 99, 100, 101, 256, 300, 999, 1000, 1025, 2500, 5000, 10_000, 20_000] {
        *CACHE.lock().unwrap() = Some(HashMap::new());
        let mut round = 0;
        let steady = traced(steady(|| {
            round += 1;
            let text = || format!("the value of {:05}", round % entries);
            let mut cache = CACHE.lock().unwrap();
            cache.as_mut().unwrap().entry(round % entries).or_insert_with(text);
        }));
        assert_eq!(steady.verdict, Verdict::Once, "{entries}: {steady}");
        assert!(steady.rounds as usize >= (4 * entries).min(50_000), "{steady}");
    }
}

#[test]
fn caches_that_replace_their_oldest_entry_are_steady() {
    static CACHE: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
    for entries in [1, 30, 700, 6000] {
        *CACHE.lock().unwrap() = VecDeque::new();
        let mut round = 0;
        let steady = traced(steady(|| {
            round += 1;
            let mut cache = CACHE.lock().unwrap();
            if cache.len() == entries {
                cache.pop_front();
            }
            cache.push_back("x".repeat(50 + round % 9));
        }));
        assert_eq!(steady.verdict, Verdict::Once, "{entries}: {steady}");
    }
}

#[test]
fn a_leak_in_each_hundredth_round_is_found_ten_of_ten_times() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    for time in 0..10 {
        *SEEN.lock().unwrap() = Vec::new();
        let mut round = 0;
        let steady = traced(steady(|| {
            round += 1;
            if round % 100 == time * 11 {
                SEEN.lock().unwrap().push(black_box("remembered".repeat(10)));
            }
        }));
        assert_eq!(steady.verdict, Verdict::Leak, "{steady}");
        let leak = steady.findings.iter().find(|finding| finding.bytes == 1);
        let leak = leak.unwrap_or_else(|| panic!("{steady}"));
        assert!(leak.is_leak, "{steady}");
        assert_eq!((leak.rounds, steady.rounds), (steady.rounds / 100, 50_000), "{steady}");
    }
}

#[test]
fn a_cache_that_leaks_is_found_ten_of_ten_times() {
    static CACHE: Mutex<Vec<Box<[u8; 64]>>> = Mutex::new(Vec::new());
    for _ in 0..10 {
        *CACHE.lock().unwrap() = Vec::new();
        let steady = traced(steady(|| CACHE.lock().unwrap().push(black_box(Box::new([0; 64])))));
        assert_eq!(steady.verdict, Verdict::Leak, "{steady}");
        let leak = steady.findings.iter().find(|finding| finding.bytes == 64);
        let leak = leak.unwrap_or_else(|| panic!("{steady}"));
        assert!(leak.is_leak && leak.blocks == 1 && leak.rounds == steady.rounds, "{steady:?}");
        if SEARCHES {
            let holder = leak.holder.as_ref().expect("the heap was searched");
            assert!(matches!(holder, Holder::Static { .. }), "{steady}");
            assert!(holder.to_string().ends_with("::CACHE"), "{steady}");
            assert_eq!(leak.path.len(), 2, "{steady}");
        }
    }
}

#[test]
fn a_leak_in_each_tenth_round_is_found_ten_of_ten_times() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    for _ in 0..10 {
        let mut round = 0;
        let steady = traced(Steady::of(Limits::new().runs(150), || {
            round += 1;
            if round % 10 == 0 {
                SEEN.lock().unwrap().push(black_box("remembered".repeat(10)));
            }
        }));
        assert_eq!((steady.verdict, steady.rounds), (Verdict::Leak, 150), "{steady}");
        let leak = steady.findings.iter().find(|finding| finding.total_bytes == 1500);
        let leak = leak.unwrap_or_else(|| panic!("{steady}"));
        assert_eq!((leak.is_leak, leak.bytes, leak.rounds), (true, 10, 15), "{steady}");
    }
}

#[test]
fn a_leak_in_each_tenth_round_is_found_without_a_number_of_rounds() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    for is_lost in [true, false] {
        let mut round = 0;
        let steady = traced(steady(|| {
            round += 1;
            if round % 10 == 0 {
                let text = black_box("remembered".repeat(10));
                if is_lost {
                    std::mem::forget(text);
                } else {
                    SEEN.lock().unwrap().push(text);
                }
            }
        }));
        assert_eq!(steady.verdict, Verdict::Leak, "{steady}");
        let text = steady.to_string();
        assert!(text.contains("\n  10 B in 1 block"), "{text}");
        let hint = "\na cache that holds more needs more rounds: assert_steady!(250000, ...)";
        assert_eq!(text.ends_with(hint), !is_lost || !SEARCHES, "{text}");
    }
}

#[test]
fn memory_that_one_round_loses_is_a_leak() {
    let mut round = 0;
    let steady = traced(Steady::of(Limits::new().runs(50), || {
        round += 1;
        if round == 7 {
            std::mem::forget(black_box(vec![0_u8; 1000]));
        }
    }));
    let expected = if SEARCHES { Verdict::Leak } else { Verdict::Once };
    assert_eq!(steady.verdict, expected, "{steady}");
    if SEARCHES {
        assert_eq!(steady.findings[0].holder, Some(Holder::Lost), "{steady}");
    }
}

#[test]
fn the_message_has_the_growth_a_round_and_the_path_from_the_holder() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let request = || SEEN.lock().unwrap().push(black_box("x".repeat(100)));
    let text = failure(|| assert_steady!(20, request()));
    assert!(text.starts_with("leaked "), "{text}");
    assert!(text.contains(" a round (20 of 20 rounds), limit 0 B\n"), "{text}");
    assert!(text.contains("\n  100 B in 1 block   "), "{text}");
    assert!(text.contains("tracemalloc-rt/tests/steady.rs:"), "{text}");
    if SEARCHES {
        assert!(!text.contains("tracemalloc::check"), "{text}");
        assert!(text.contains("::SEEN -> Vec (tracemalloc-rt/tests/steady.rs:"), "{text}");
    }
}

#[test]
fn what_the_code_owns_holds_its_blocks() {
    let mut list = Vec::new();
    let steady = traced(Steady::of(Limits::new().runs(30), move || {
        list.push(black_box(Box::new([1_u8; 32])));
    }));
    assert_eq!(steady.verdict, Verdict::Leak, "{steady}");
    if SEARCHES {
        let leak = steady.findings.iter().find(|finding| finding.bytes == 32);
        let holder = leak.and_then(|leak| leak.holder.clone());
        assert!(matches!(holder, Some(Holder::Stack { .. })), "{steady}");
    }
}

#[test]
fn growth_within_the_limit_is_no_leak() {
    assert_steady!(20, max_growth = 16, std::mem::forget(black_box(Box::new([0_u8; 16]))));
    failure(|| {
        assert_steady!(20, max_growth = 15, std::mem::forget(black_box(Box::new([0_u8; 16]))))
    });
}

#[test]
fn the_number_of_rounds_is_exact() {
    for rounds in [2, 3, 8, 64, 500] {
        let mut made = 0;
        assert_steady!(rounds, || made += 1);
        assert_eq!(made, rounds);
    }
}

#[test]
fn the_name_of_a_closure_or_a_function_is_called() {
    static CALLS: Mutex<u32> = Mutex::new(0);
    fn call() {
        *CALLS.lock().unwrap() += 1;
    }
    let mut rounds = 0;
    let mut count = || rounds += 1;
    assert_steady!(5, &mut count);
    assert_steady!(4, count);
    assert_steady!(7, call);
    tracemalloc::assert_no_growth!(call);
    assert_eq!((rounds, *CALLS.lock().unwrap()), (9, 8));
}

#[test]
fn a_round_that_panics_ends_the_loop() {
    let mut rounds = 0;
    let code = || {
        assert_steady!(|| {
            rounds += 1;
            assert!(rounds < 5, "as planned");
        });
    };
    let payload = catch_unwind(AssertUnwindSafe(code)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"as planned"));
    assert_eq!(rounds, 5);
}
