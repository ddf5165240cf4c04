//! The share of the live memory that each static, thread-local and thread holds.

use std::fmt;

use crate::api::holder::Holder;
use crate::bridge::held::Held;
use crate::bridge::installed;
use crate::error::Error;
use crate::model::format_size::format_size;

/// The blocks that one holder holds. Made by [`holders`].
///
/// `Display` is `store::SEEN: size=97.7 KiB, count=2`. Not in Python.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HolderStatistic {
    /// The static, thread-local, thread or other memory; or [`Holder::Lost`].
    pub holder: Holder,
    /// Bytes of traced blocks that it leads to.
    pub size: u64,
    /// The number of these blocks.
    pub count: u64,
}

impl fmt::Display for HolderStatistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(
            clippy::cast_precision_loss,
            reason = "Python divides as floating point too; at most one digit is shown"
        )]
        let size = format_size(self.size as f64, false);
        write!(f, "{}: size={size}, count={}", self.holder, self.count)
    }
}

/// Searches the heap, and sums up the live traced blocks by holder, the most bytes first. Blocks
/// that nothing points to are summed up under [`Holder::Lost`].
///
/// The search runs in a copy of the process, as `fork` makes it. The other threads stand still
/// while the copy is made. A block with several holders counts for the one that the search finds
/// first. The order is: statics, thread-locals, stacks and registers, all other memory. The names
/// are those of the executable's symbols. Not in Python.
///
/// # Errors
///
/// - [`Error::NotInstalled`] if the program's global allocator is not a
///   [`Tracemalloc`](crate::Tracemalloc),
/// - [`Error::OtherVersion`] if it is one of a version that this one cannot talk to,
/// - [`Error::NotTracing`] if the program does not trace,
/// - [`Error::HeapNotSearched`] on other systems than Linux on x86-64 and AArch64, and if the
///   process cannot be copied or its threads cannot be stopped.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// use std::sync::Mutex;
///
/// static PAGES: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
///
/// # fn main() -> Result<(), tracemalloc::Error> {
/// tracemalloc::start(1)?;
/// PAGES.lock().unwrap().push(vec![0; 100_000]);
/// # if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) { return Ok(()) }
/// let holders = tracemalloc::holders()?;
/// assert!(holders[0].holder.to_string().ends_with("PAGES"));
/// assert!(holders[0].size >= 100_000);
/// # Ok(())
/// # }
/// ```
pub fn holders() -> Result<Vec<HolderStatistic>, Error> {
    let table = installed()?;
    if !(table.is_tracing)() {
        return Err(Error::NotTracing);
    }
    // The frames of all calls from here on lie below.
    let here = 0_u8;
    let mut holders: Vec<HolderStatistic> = Vec::new();
    (table.pause)(true);
    let mut why_len = 0;
    let why = (table.holders)(
        (&raw const here).addr(),
        (&raw mut holders).cast(),
        add_holder,
        &mut why_len,
    );
    (table.pause)(false);
    if why.is_null() {
        return Ok(holders);
    }
    // SAFETY: a pointer that is not null is that of a constant text, with its length.
    let reason = unsafe { core::slice::from_raw_parts(why, why_len) };
    Err(Error::HeapNotSearched { reason: String::from_utf8_lossy(reason).into_owned() })
}

extern "C" fn add_holder(holders: *mut u8, held: &Held) {
    // SAFETY: `holders` hands over its list, and does not touch it until the search has returned.
    let holders = unsafe { &mut *holders.cast::<Vec<HolderStatistic>>() };
    holders.push(HolderStatistic {
        holder: Holder::of(held),
        size: held.bytes,
        count: held.blocks,
    });
}
