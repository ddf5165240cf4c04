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

/// Handles of which one is destroyed.
#[cfg(feature = "bad")]
#[test]
pub fn a_map_that_is_destroyed() {
    let (_reader, mut writer) = evmap::new();
    writer.insert(1, "user number 1".to_owned());
    writer.refresh();
    writer.destroy();
}
