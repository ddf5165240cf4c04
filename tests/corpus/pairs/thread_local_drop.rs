//! The object frees its tables, and not the values that threads have put there.

use thread_local::ThreadLocal;

#[test]
pub fn thread_local_drop() {
    let names = ThreadLocal::new();
    std::thread::scope(|scope| {
        for i in 0..3 {
            let names = &names;
            scope.spawn(move || names.get_or(|| format!("thread number {i}")).len()); // leaks
        }
    });
    names.get_or(|| "the thread of the test".to_owned()); // leaks
}
