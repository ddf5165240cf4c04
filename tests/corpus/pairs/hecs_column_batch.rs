//! A builder of columns that is dropped before `build` forgets the components in it.

use hecs::{ColumnBatchType, World};

fn columns(built: bool) {
    let mut columns = ColumnBatchType::new();
    columns.add::<String>();
    let mut batch = columns.into_batch(3);
    let mut names = batch.writer::<String>().unwrap();
    for i in 0..3 {
        names.push(format!("entity number {i}")).unwrap(); // leaks
    }
    drop(names);
    if built {
        let mut world = World::new();
        assert_eq!(world.spawn_column_batch(batch.build().unwrap()).count(), 3);
    }
}

#[test]
pub fn hecs_column_batch() {
    columns(false);
}

/// Columns that are built and belong to a world.
#[test]
pub fn columns_of_a_world() {
    columns(true);
}
