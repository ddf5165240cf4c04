//! What holds how much of what is live.

use std::fmt;

use crate::bridge::installed;
use crate::error::Error;
use crate::model::format_size::format_size;

/// What one static, thread-local or thread holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderStatistic {
    /// `store::SEEN`, ``stack of thread `main` ``, `foreign memory`; `lost` for what nothing
    /// points to any more.
    pub holder: String,
    /// Bytes of traced blocks that it leads to.
    pub size: u64,
    /// How many blocks these are.
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

/// Which statics, thread-locals and threads hold how much of what is live and traced, the most
/// bytes first.
///
/// The heap is searched in a copy of the process, as `fork` makes it, and the other threads stand
/// still while that is made. A block that several lead to counts for the one that is found first:
/// statics come before thread-locals, these before stacks and registers, and these before all other
/// memory. The names are those of the executable's symbols. Not in Python.
///
/// # Errors
///
/// [`Error::NotInstalled`] where the program's global allocator is no
/// [`Tracemalloc`](crate::Tracemalloc), [`Error::NotTracing`] where it does not trace, and
/// [`Error::HeapNotSearched`] elsewhere than on Linux on x86-64 and AArch64, and where the
/// process cannot be copied or its threads cannot be asked.
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
/// assert!(holders[0].holder.ends_with("PAGES"));
/// assert!(holders[0].size >= 100_000);
/// # Ok(())
/// # }
/// ```
pub fn holders() -> Result<Vec<HolderStatistic>, Error> {
    let table = installed()?;
    if !(table.is_tracing)() {
        return Err(Error::NotTracing);
    }
    // What is called from here on is on the stack below.
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
    // SAFETY: what is not null is a text of the program's own, with its length.
    let reason = unsafe { core::slice::from_raw_parts(why, why_len) };
    Err(Error::HeapNotSearched { reason: String::from_utf8_lossy(reason).into_owned() })
}

extern "C" fn add_holder(context: *mut u8, name: *const u8, len: usize, size: u64, count: u64) {
    // SAFETY: the context is the list that `holders` has handed over and does not touch meanwhile;
    // the name is as long as that.
    let (holders, name) = unsafe {
        (&mut *context.cast::<Vec<HolderStatistic>>(), core::slice::from_raw_parts(name, len))
    };
    holders.push(HolderStatistic {
        holder: String::from_utf8_lossy(name).into_owned(),
        size,
        count,
    });
}
