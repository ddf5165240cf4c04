//! The tracer's locks, in the order in which they are taken before a `fork`.

use crate::os::fork::InnermostLocks;
use crate::trace::capture::settings;
use crate::trace::scope_table::NUMBERS;
use crate::trace::{contexts, guard, shadow, thread, view};

/// All locks of the tracer. Code that holds one of them takes only later ones.
pub static LOCKS: InnermostLocks =
    InnermostLocks { acquire: hold, release: let_go, forked: view::forked };

/// Takes every lock. A search of the heap does so too, for its copy of the process, which no
/// handler of `fork` knows of.
pub fn hold() {
    guard::hold();
    view::ACCESS.acquire();
    settings::before_fork();
    NUMBERS.acquire();
    contexts::before_fork();
    thread::before_fork();
    shadow::before_fork();
    view::before_fork();
}

/// Releases what [`hold`] took.
pub fn let_go() {
    view::after_fork();
    shadow::after_fork();
    thread::after_fork();
    contexts::after_fork();
    NUMBERS.release();
    settings::after_fork();
    view::ACCESS.release();
    guard::let_go();
}
