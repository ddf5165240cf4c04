//! The thread cache of the GNU C library: freed chunks that a thread keeps for itself.
//!
//! It has one list of free chunks for each size, and a number for each list. Until version 2.41 the
//! number is the length of the list; since then it is the room that is left in it. The first word
//! of a free chunk is the next chunk. Since 2.32 it is mixed with the chunk's own address. The
//! second word is the same number in all free chunks since 2.29.

use crate::heap::linux::list::List;

const HEADER: usize = 16;
const SMALLEST: usize = 32;
/// Lists of chunks of one size. The others, which are new in 2.42, have chunks of any larger size.
const SMALL_LISTS: usize = 64;
/// More chunks than in any list.
const MOST_CHUNKS: usize = 1 << 16;

/// The layout of the cache in one version of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    lists: usize,
    bytes_per_number: usize,
    numbers_are_room: bool,
    next_is_mixed: bool,
    has_mark: bool,
}

/// The result of reading a chunk as a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It is no cache.
    Other,
    /// It is a cache.
    Cache,
    /// The system has no memory.
    NoMemory,
}

impl Layout {
    /// The layout of a version; `None` if it has no cache.
    pub fn of_version(version: (u32, u32)) -> Option<Self> {
        let layout = Self {
            lists: if version < (2, 42) { SMALL_LISTS } else { SMALL_LISTS + 12 },
            bytes_per_number: if version < (2, 30) { 1 } else { 2 },
            numbers_are_room: version >= (2, 42),
            next_is_mixed: version >= (2, 32),
            has_mark: version >= (2, 29),
        };
        (version >= (2, 26)).then_some(layout)
    }

    /// The layout of the C library of this process; `None` if it has no cache.
    pub fn of_this_process() -> Option<Self> {
        Self::of_version(version()?)
    }

    /// The usable size of the chunk that is a cache.
    pub fn size(&self) -> usize {
        (self.lists * (self.bytes_per_number + 8) + 8).next_multiple_of(HEADER) - 8
    }

    /// Reads a chunk of [`Layout::size`] as a cache, and adds its free chunks to `cached`.
    /// `size_of` says how large a chunk is that looks as if it were in use. If the chunk is no
    /// cache, some may be added too.
    pub fn read(
        &self,
        cache: usize,
        size_of: impl Fn(usize) -> Option<usize>,
        cached: &mut List<usize>,
    ) -> Reading {
        let mut mark = None;
        let mut room = None;
        for list in 0..self.lists {
            let number = self.number(cache, list);
            let mut chunk =
                word(cache + (self.lists * self.bytes_per_number).next_multiple_of(8) + list * 8);
            let mut length = 0;
            while chunk != 0 && length < MOST_CHUNKS {
                let smallest = SMALLEST - 8 + list * HEADER;
                let has_size = size_of(chunk).is_some_and(|size| {
                    if list < SMALL_LISTS { size == smallest } else { size >= smallest }
                });
                if !has_size
                    || self.has_mark && *mark.get_or_insert(word(chunk + 8)) != word(chunk + 8)
                {
                    return Reading::Other;
                }
                if !cached.push(chunk) {
                    return Reading::NoMemory;
                }
                let next = word(chunk);
                chunk = if self.next_is_mixed { next ^ chunk >> 12 } else { next };
                length += 1;
            }
            let fits = if self.numbers_are_room {
                *room.get_or_insert(number + length) == number + length
            } else {
                number == length
            };
            if !fits {
                return Reading::Other;
            }
        }
        Reading::Cache
    }

    fn number(&self, cache: usize, list: usize) -> usize {
        let offset = list * self.bytes_per_number;
        let bits = self.bytes_per_number * 8;
        word(cache + offset / 8 * 8) >> (offset % 8 * 8) & ((1 << bits) - 1)
    }
}

/// The version of the C library; `None` if it is another one.
#[cfg(target_env = "gnu")]
fn version() -> Option<(u32, u32)> {
    // SAFETY: the function has no conditions, and returns a static string.
    let version = unsafe { core::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    let mut numbers = version.to_str().ok()?.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(not(target_env = "gnu"))]
fn version() -> Option<(u32, u32)> {
    None
}

fn word(address: usize) -> usize {
    // SAFETY: callers give addresses inside a readable private mapping of this copy.
    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: usize = 0x1234_5678_9abc_def1;

    /// A cache of a layout, and two free chunks of 40 bytes and one of 2,000 after it.
    struct Made {
        words: Vec<usize>,
        layout: Layout,
    }

    impl Made {
        fn new(version: (u32, u32), numbers: impl Fn(usize) -> usize, has_large: bool) -> Self {
            let layout = Layout::of_version(version).unwrap();
            let mut made = Self { words: vec![0; 400], layout };
            for list in 0..layout.lists {
                let offset = list * layout.bytes_per_number;
                made.words[offset / 8] |= numbers(list) << (offset % 8 * 8);
            }
            let first_list = (layout.lists * layout.bytes_per_number).div_ceil(8);
            let [first, second, large] = made.chunks();
            made.words[first_list + 1] = first;
            let mixed = |next: usize, own: usize| {
                if layout.next_is_mixed { next ^ own >> 12 } else { next }
            };
            made.write(first, mixed(second, first));
            made.write(second, mixed(0, second));
            if has_large {
                made.words[first_list + SMALL_LISTS] = large;
                made.write(large, mixed(0, large));
            }
            made
        }

        fn address(&self) -> usize {
            self.words.as_ptr().expose_provenance()
        }

        fn chunks(&self) -> [usize; 3] {
            [100, 106, 112].map(|place| self.address() + place * 8)
        }

        fn write(&mut self, chunk: usize, next: usize) {
            let place = (chunk - self.address()) / 8;
            (self.words[place], self.words[place + 1]) = (next, MARK);
        }

        fn read(&self) -> (Reading, Vec<usize>) {
            let mut cached = List::new();
            let [first, second, large] = self.chunks();
            let size_of = |chunk| match chunk {
                chunk if chunk == first || chunk == second => Some(40),
                chunk if chunk == large => Some(2000),
                _ => None,
            };
            (self.layout.read(self.address(), size_of, &mut cached), cached.to_vec())
        }
    }

    #[test]
    fn lengths_of_lists_are_read_before_2_42() {
        for version in [(2, 26), (2, 28), (2, 31), (2, 36), (2, 41)] {
            let made = Made::new(version, |list| if list == 1 { 2 } else { 0 }, false);
            let [first, second, _] = made.chunks();
            assert_eq!(made.read(), (Reading::Cache, vec![first, second]), "{version:?}");
        }
    }

    #[test]
    fn the_room_that_is_left_is_read_since_2_42() {
        let taken = |list| match list {
            1 => 2,
            SMALL_LISTS => 1,
            _ => 0,
        };
        for (version, room) in [((2, 42), 7), ((2, 43), 16), ((2, 99), 500)] {
            let made = Made::new(version, |list| room - taken(list), true);
            assert_eq!(made.read(), (Reading::Cache, made.chunks().to_vec()), "{version:?}");
        }
    }

    #[test]
    fn other_memory_is_no_cache() {
        let wrong_length = Made::new((2, 36), |list| usize::from(list == 1), false);
        assert_eq!(wrong_length.read().0, Reading::Other);
        let wrong_room = Made::new((2, 43), |_| 16, false);
        assert_eq!(wrong_room.read().0, Reading::Other);
        let mut wrong_mark = Made::new((2, 36), |list| if list == 1 { 2 } else { 0 }, false);
        wrong_mark.words[101] ^= 1;
        assert_eq!(wrong_mark.read().0, Reading::Other);
        let mut not_free = Made::new((2, 36), |list| if list == 1 { 2 } else { 0 }, false);
        not_free.words[100] = 0x1000;
        assert_eq!(not_free.read().0, Reading::Other);
    }

    #[test]
    fn sizes_are_those_of_the_library() {
        for (version, size) in [((2, 28), 584), ((2, 36), 648), ((2, 41), 648), ((2, 43), 760)] {
            assert_eq!(Layout::of_version(version).unwrap().size(), size, "{version:?}");
        }
        assert_eq!(Layout::of_version((2, 25)), None);
    }
}
