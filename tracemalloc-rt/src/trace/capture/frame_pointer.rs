//! The chain of frame pointers.
//!
//! On x86-64 and AArch64 a frame pointer points to the caller's frame pointer. The word above has
//! the return address. Code that keeps no frame pointers may leave anything in the register. So a
//! step is only taken to an address that is aligned, higher than the last one, and inside the
//! current thread's stack. There every word can be read, and a walk never faults. At worst it ends
//! early, or names a wrong caller.

const WORD: usize = size_of::<usize>();

/// The registers of a function: its frame pointer, and the end of the stack. A walk may start here
/// as long as the function has not returned.
#[derive(Clone, Copy)]
pub struct Here {
    pub frame: usize,
    /// The stack pointer.
    pub top: usize,
    /// An address of the function's code where the registers had these values. 0 if that is not
    /// known.
    #[cfg_attr(
        not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", not(miri))),
        expect(dead_code, reason = "only walks by unwind rules need it")
    )]
    pub address: usize,
}

/// The part of a thread's stack that walks may see.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub low: usize,
    /// The highest address that a frame can have.
    pub last: usize,
}

/// The part of the current thread's stack that is in use.
#[derive(Clone, Copy)]
pub struct Chain {
    pub innermost: usize,
    /// As in [`Bounds`].
    last: usize,
}

/// The two words in memory at a frame.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Words {
    /// The caller's frame.
    pub next: usize,
    /// The address that the function returns to; on AArch64 it may be signed.
    pub return_address: usize,
}

impl Words {
    /// Reads the words at this address.
    ///
    /// # Safety
    ///
    /// It is aligned, and both words are mapped.
    #[inline(always)]
    pub unsafe fn at(frame: usize) -> Self {
        // SAFETY: by the promise of the caller.
        unsafe { Self { next: load::<0>(frame), return_address: load::<WORD>(frame) } }
    }
}

/// The reason why a chain ends: a permanent one, or a word of the stack that is 0.
#[derive(Clone, Copy)]
pub struct End(*const usize);

impl End {
    /// A permanent reason: a constant 0.
    const FOR_GOOD: Self = Self(&0);

    /// Whether the reason still holds.
    ///
    /// # Safety
    ///
    /// The outermost frame of that chain is still there, in this thread.
    #[inline(always)]
    pub unsafe fn still_is(self) -> bool {
        // SAFETY: a constant, or a word of the stack, which is as readable as it was.
        unsafe { load::<0>(self.0.expose_provenance()) == 0 }
    }
}

impl Bounds {
    /// From the lowest address to one past the highest. If these are not known, both are 0, and
    /// nothing is inside.
    pub fn from((low, high): (usize, usize)) -> Self {
        Self { low, last: high.saturating_sub(2 * WORD) }
    }

    /// One past the highest address.
    pub fn end(self) -> usize {
        self.last + 2 * WORD
    }
}

impl Chain {
    /// The chain from here outwards, inside of these bounds of the current thread's stack. `None`
    /// if a walk cannot start: on another architecture, on a stack of the program's own or of
    /// unknown bounds, or in a function without a frame.
    #[inline(always)]
    pub fn from(here: Here, bounds: Bounds) -> Option<Self> {
        let (Here { frame, top, .. }, Bounds { low, last }) = (here, bounds);
        let is_inside = top > low && frame >= top && frame <= last;
        (is_inside && frame % WORD == 0).then_some(Self { innermost: frame, last })
    }

    /// The words at a frame.
    ///
    /// # Safety
    ///
    /// `frame` is the innermost one, or one that [`outside`](Self::outside) has found words at in
    /// this thread, and not below the innermost one.
    #[inline(always)]
    pub unsafe fn words(self, frame: usize) -> Words {
        // SAFETY: `frame` is aligned, and both words lie between a frame of this thread and the end
        // of its stack. The stack is mapped and readable as long as the thread runs.
        unsafe { Words::at(frame) }
    }

    /// The words at `next`, which the frame at `frame` names as its caller's.
    #[inline(always)]
    pub fn outside(self, frame: usize, next: usize) -> Result<Words, End> {
        if next <= frame || next > self.last || next % WORD != 0 {
            return Err(End::FOR_GOOD);
        }
        // SAFETY: it is aligned, and lies between a frame of this thread and the end of its stack.
        let words = unsafe { self.words(next) };
        if words.return_address == 0 {
            return Err(End(core::ptr::with_exposed_provenance(next + WORD)));
        }
        Ok(words)
    }

    /// The number of frames from this one on. [`outside`](Self::outside) has found words at it.
    #[cold]
    pub fn count(self, frame: usize) -> usize {
        let mut count = 1;
        let mut at = frame;
        // SAFETY: by the promise of the caller, and of this loop.
        let mut words = unsafe { self.words(at) };
        while let Ok(outer) = self.outside(at, words.next) {
            (at, words) = (words.next, outer);
            count += 1;
        }
        count
    }
}

impl Here {
    /// The end of a stack that has the function's callees and nothing else; `None` if that is not
    /// known.
    pub fn outside_of_frame(self) -> Option<usize> {
        (self.frame >= self.top && self.frame != 0).then_some(self.frame + WORD)
    }

    /// The registers of the function that this is inlined into; zeroes on architectures without
    /// frame pointers.
    #[inline(always)]
    pub fn new() -> Self {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let (frame, top, address): (usize, usize, usize);
            // SAFETY: copies registers.
            unsafe {
                core::arch::asm!(
                    "mov {}, rbp", "mov {}, rsp", "lea {}, [rip]",
                    out(reg) frame, out(reg) top, out(reg) address,
                    options(nomem, nostack, preserves_flags)
                );
            }
            Self { frame, top, address }
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        Self::without_address()
    }

    /// As [`new`](Self::new), in fewer instructions, for walks by frame pointers alone.
    #[inline(always)]
    pub fn without_address() -> Self {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let (frame, top): (usize, usize);
            // SAFETY: copies registers.
            unsafe {
                core::arch::asm!(
                    "mov {}, rbp", "mov {}, rsp", out(reg) frame, out(reg) top,
                    options(nomem, nostack, preserves_flags)
                );
            }
            Self { frame, top, address: 0 }
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        {
            let (frame, top): (usize, usize);
            // SAFETY: copies registers.
            unsafe {
                core::arch::asm!(
                    "mov {}, x29", "mov {}, sp", out(reg) frame, out(reg) top,
                    options(nomem, nostack, preserves_flags)
                );
            }
            Self { frame, top, address: 0 }
        }
        #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
        Self { frame: 0, top: 0, address: 0 }
    }
}

/// Reads the word at an address plus an offset.
///
/// A walk reads words that belong to no variable of Rust's, and words of frames that may have gone.
/// Other frames may lie there now, with variables that were never written. For a load in Rust that
/// would be undefined, and a sanitizer would report it. So the load is an instruction of assembly.
/// To the abstract machine it returns any number. That is sound: walks bound each address that they
/// read by the thread's stack, and a wrong number leads at worst to a wrong traceback.
///
/// # Safety
///
/// The word is aligned and mapped.
#[inline(always)]
pub unsafe fn load<const OFFSET: usize>(address: usize) -> usize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let word: usize;
        // SAFETY: reads a word that is mapped, by the promise of the caller, and changes nothing.
        unsafe {
            core::arch::asm!(
                "mov {}, [{} + {}]", lateout(reg) word, in(reg) address, const OFFSET,
                options(pure, readonly, nostack, preserves_flags)
            );
        }
        word
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        let word: usize;
        // SAFETY: reads a word that is mapped, by the promise of the caller, and changes nothing.
        unsafe {
            core::arch::asm!(
                "ldr {}, [{}, #{}]", lateout(reg) word, in(reg) address, const OFFSET,
                options(pure, readonly, nostack, preserves_flags)
            );
        }
        word
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        // SAFETY: elsewhere there are no chains of frame pointers; tests make them of variables.
        unsafe { core::ptr::with_exposed_provenance::<usize>(address + OFFSET).read_volatile() }
    }
}

/// A return address, without the signature of pointer authentication.
#[inline(always)]
pub fn strip(return_address: usize) -> usize {
    if cfg!(target_arch = "aarch64") { return_address & ((1 << 48) - 1) } else { return_address }
}
