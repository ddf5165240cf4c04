//! The first run of wanted pages in a range of addresses.

use crate::heap::linux::process::Deadline;
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::Hindrance;
use crate::os::page_map::{self, PageMap, PageState};

/// The most pages that are read at once.
pub const WINDOW: usize = 1024;

/// Finds the first run of pages in a range, by their states. `None` if no page is wanted. The run
/// may continue behind the returned end.
pub fn first_run_in(
    page_map: &PageMap,
    range: Range,
    deadline: Deadline,
    wanted: impl Fn(PageState) -> bool,
) -> Result<Option<Range>, Hindrance> {
    let mut states = [PageState::ABSENT; WINDOW];
    first_run(range, deadline, |first, is_wanted| {
        let states = &mut states[..is_wanted.len()];
        if !page_map.read(first, states) {
            return Err(Hindrance::Unreadable);
        }
        is_wanted.iter_mut().zip(states).for_each(|(is_wanted, state)| {
            *is_wanted = wanted(*state);
        });
        Ok(())
    })
}

/// Finds the first run of wanted pages in a range. `read` gets the number of a page and fills in,
/// for it and the next ones, whether they are wanted.
pub fn first_run(
    range: Range,
    deadline: Deadline,
    mut read: impl FnMut(usize, &mut [bool]) -> Result<(), Hindrance>,
) -> Result<Option<Range>, Hindrance> {
    let size = page_map::page_size();
    let end = range.1.div_ceil(size);
    let mut page = range.0 / size;
    let mut is_wanted = [false; WINDOW];
    while page < end {
        let is_wanted = &mut is_wanted[..WINDOW.min(end - page)];
        read(page, is_wanted)?;
        if let Some(start) = is_wanted.iter().position(|wanted| *wanted) {
            let run = is_wanted[start..].iter().take_while(|wanted| **wanted).count();
            let start = (page + start) * size;
            return Ok(Some((start.max(range.0), (start + run * size).min(range.1))));
        }
        page += is_wanted.len();
        if deadline.is_over() {
            return Err(Hindrance::Time);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn runs_are_cut_to_the_range_and_found_in_any_window() {
        let size = page_map::page_size();
        let wanted = [3, 4, 5, 3 * WINDOW, 3 * WINDOW + 1];
        let first = |range| {
            first_run(range, Deadline::after(Duration::from_secs(60)), |first, is_wanted| {
                for (index, is_wanted) in is_wanted.iter_mut().enumerate() {
                    *is_wanted = wanted.contains(&(first + index));
                }
                Ok(())
            })
        };
        let end = 4 * WINDOW * size;
        assert_eq!(first((0, end)), Ok(Some((3 * size, 6 * size))));
        assert_eq!(first((4 * size + 8, 6 * size - 8)), Ok(Some((4 * size + 8, 6 * size - 8))));
        assert_eq!(first((6 * size, end)), Ok(Some((3 * WINDOW * size, (3 * WINDOW + 2) * size))));
        assert_eq!(first(((3 * WINDOW + 2) * size, end)), Ok(None));
        assert_eq!(first((size, size)), Ok(None));
    }
}
