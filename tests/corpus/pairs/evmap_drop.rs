//! Both maps are forgotten when the two handles are dropped without `destroy`.

#[test]
pub fn evmap_drop() {
    let (reader, mut writer) = evmap::new(); // leaks
    for i in 0..5 {
        writer.insert(i, format!("user number {i}")); // leaks
    }
    writer.refresh(); // leaks
    assert_eq!(reader.len(), 5);
    drop(writer); // leaks
    drop(reader);
}
