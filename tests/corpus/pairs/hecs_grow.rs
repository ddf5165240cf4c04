//! A table of components that grows forgets its old memory.

use hecs::World;

#[test]
pub fn hecs_grow() {
    let mut world = World::new();
    for i in 0..1000_u64 {
        world.spawn((i, [i; 4])); // leaks
    }
    assert_eq!(world.query::<&u64>().iter().count(), 1000);
}

/// So few entities that the table never grows.
#[test]
pub fn a_small_world() {
    let mut world = World::new();
    world.spawn((1_u64, [1_u64; 4]));
    assert_eq!(world.query::<&u64>().iter().count(), 1);
}
