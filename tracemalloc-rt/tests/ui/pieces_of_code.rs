use tracemalloc::assert_no_growth;

fn main() {
    assert_no_growth!();
    assert_no_growth!(max_growth = "1 KiB");
    assert_no_growth!(max_growth = "1 XB", || 1);
    assert_no_growth!(max_growth = 1, max_growth = 2, || 1);
    assert_no_growth!(|| 1, max_growth = 1);
}
