//! One stable sort for all lists that are short, or sorted rarely.
//!
//! The sorts of std are compiled anew for each type and each key. They were a quarter of the code
//! that is injected, which every new user has to compile. Here only the last pass over the list is
//! compiled for each type; the sort itself works on places.

use core::cmp::Ordering;
use core::mem;

/// Sorts a list. Elements that compare as equal stay in their order.
pub fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut order: Vec<usize> = (0..list.len()).collect();
    sort_places(&mut order, &|a, b| compare(&list[a], &list[b]));
    rearrange(&mut order, &mut |place, from| list.swap(place, from));
}

/// Sorts a list by a key.
pub fn sort_by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(list, |a, b| key(a).cmp(&key(b)));
}

#[inline(never)]
fn sort_places(order: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    order.sort_by(|a, b| compare(*a, *b));
}

/// Brings to each place the element that `order` names for it, by swaps. Takes one step for each
/// place: it follows each cycle of the order, and marks a place that is done by its own number.
#[inline(never)]
fn rearrange(order: &mut [usize], swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..order.len() {
        let mut place = first;
        loop {
            #[cfg(test)]
            tests::STEPS.set(tests::STEPS.get() + 1);
            let from = mem::replace(&mut order[place], place);
            if from == first {
                break;
            }
            swap(place, from);
            place = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    std::thread_local! {
        /// How many places were looked at.
        pub static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn a_late_element_before_a_sorted_list_is_not_quadratic() {
        const LENGTH: usize = if cfg!(miri) { 1_000 } else { 100_000 };
        let mut list: Vec<usize> = (1..LENGTH).chain([0]).collect();
        STEPS.set(0);
        sort_by(&mut list, usize::cmp);
        assert!(list.is_sorted());
        assert!(STEPS.get() <= 2 * LENGTH, "{}", STEPS.get());
    }

    #[test]
    fn lists_are_sorted_as_by_std() {
        let mut state = 1_u64;
        for length in 0..200 {
            let mut list: Vec<(u64, usize)> = (0..length)
                .map(|place| {
                    state =
                        state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 60, place)
                })
                .collect();
            let mut expected = list.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by_key(&mut list, |(key, _)| *key);
            assert_eq!(list, expected);
        }
    }
}
