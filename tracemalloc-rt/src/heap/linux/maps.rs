//! The mappings of this process, from `/proc/self/maps`.

use crate::heap::linux::list::List;
use crate::heap::linux::process::File;
use crate::heap::linux::reply::Hindrance;

/// One mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: usize,
    /// One past its last.
    pub end: usize,
    /// Whether it can be read.
    pub readable: bool,
    /// Whether it can be written.
    pub writable: bool,
    /// Whether other processes share it.
    pub shared: bool,
    /// The backing of the mapping.
    pub backing: Backing,
}

/// The backing of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Anonymous memory.
    Nothing,
    /// The heap whose end `brk` moves.
    Heap,
    /// The first thread's stack.
    Stack,
    /// A file.
    File,
    /// A device, or the kernel: reading it may have effects.
    Device,
}

/// All mappings of this process, by address.
pub fn read() -> Result<List<Mapping>, Hindrance> {
    let file = File::open(c"/proc/self/maps").ok_or(Hindrance::Unreadable)?;
    let mut mappings = List::new();
    for mapping in Reader::new(&file) {
        if !mappings.push(mapping?) {
            return Err(Hindrance::Memory);
        }
    }
    if mappings.is_empty() { Err(Hindrance::Unreadable) } else { Ok(mappings) }
}

/// Reads the mappings in a file `maps` one by one, without memory of its own.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a File,
    buffer: [u8; 8192],
    start: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Reads from where the file stands.
    pub fn new(file: &'a File) -> Self {
        Self { file, buffer: [0; 8192], start: 0, end: 0 }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Mapping, Hindrance>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let mapping = parse(&rest[..length]);
                self.start += length + 1;
                return Some(mapping.ok_or(Hindrance::Unreadable));
            }
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            // A line that fills the buffer is longer than any path.
            let room = &mut self.buffer[self.end..];
            if room.is_empty() {
                return Some(Err(Hindrance::Unreadable));
            }
            match self.file.read(room) {
                None => return Some(Err(Hindrance::Unreadable)),
                Some(0) => return None,
                Some(read) => self.end += read,
            }
        }
    }
}

/// The mapping that contains an address.
pub fn find(mappings: &[Mapping], address: usize) -> Option<&Mapping> {
    let index = mappings.partition_point(|mapping| mapping.end <= address);
    mappings.get(index).filter(|mapping| mapping.start <= address)
}

/// `7f00-7f10 rw-p 00000000 00:00 0      [stack]`.
fn parse(line: &[u8]) -> Option<Mapping> {
    let mut words = line.splitn(6, |byte| *byte == b' ');
    let mut bounds = words.next()?.splitn(2, |byte| *byte == b'-');
    let (start, end) = (hexadecimal(bounds.next()?)?, hexadecimal(bounds.next()?)?);
    let &[read, write, _, shared, ..] = words.next()? else { return None };
    let (_offset, _device, _inode) = (words.next()?, words.next()?, words.next()?);
    let name = words.next().unwrap_or_default().trim_ascii_start();
    let backing = match name {
        b"" => Backing::Nothing,
        b"[heap]" => Backing::Heap,
        b"[stack]" => Backing::Stack,
        _ if name.starts_with(b"[anon") => Backing::Nothing,
        _ if name.starts_with(b"/dev/zero") || name.starts_with(b"/dev/shm/") => Backing::File,
        _ if name.starts_with(b"[") || name.starts_with(b"/dev/") => Backing::Device,
        _ if name.starts_with(b"/") => Backing::File,
        _ => Backing::Device,
    };
    Some(Mapping {
        start,
        end,
        readable: read == b'r',
        writable: write == b'w',
        shared: shared == b's',
        backing,
    })
}

fn hexadecimal(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0_usize, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number.checked_mul(16)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds_are_read() {
        let of = |line: &str| {
            parse(line.as_bytes()).map(|mapping| (mapping.start, mapping.end, mapping.backing))
        };
        assert_eq!(
            of("55d0-55d1 r--p 00000000 fe:01 42     /usr/bin/a b"),
            Some((0x55d0, 0x55d1, Backing::File))
        );
        assert_eq!(
            of("7f00-7f10 rw-p 00000000 00:00 0 "),
            Some((0x7f00, 0x7f10, Backing::Nothing))
        );
        assert_eq!(
            of("7f00-7f10 rw-p 00000000 00:00 0      [heap]"),
            Some((0x7f00, 0x7f10, Backing::Heap))
        );
        assert_eq!(
            of("7f00-7f10 r--p 00000000 00:00 0      [vvar]"),
            Some((0x7f00, 0x7f10, Backing::Device))
        );
        assert_eq!(
            of("7f00-7f10 rw-s 00000000 00:00 9      /dev/nvidia0"),
            Some((0x7f00, 0x7f10, Backing::Device))
        );
        assert_eq!(of("7f00"), None);
    }

    #[test]
    fn a_local_variable_lies_in_a_writable_mapping() {
        let mappings = read().expect("Linux has it");
        let local = 0_u8;
        let mapping = find(&mappings, (&raw const local).addr()).expect("it is mapped");
        assert!(mapping.readable && mapping.writable && !mapping.shared);
        assert!(mappings.is_sorted_by_key(|mapping| mapping.start));
    }
}
