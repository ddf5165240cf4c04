//! `clone_from` forgets a value whose slot is vacant in the source.

use slotmap::SlotMap;

#[test]
pub fn slotmap_clone_from() {
    let mut state = SlotMap::new();
    let key = state.insert("a window of the program".to_owned());
    let mut shown = state.clone(); // leaks
    state.remove(key);
    shown.clone_from(&state);
    assert!(shown.is_empty());
}

/// The slot is occupied in both.
#[test]
pub fn the_same_slots() {
    let mut state = SlotMap::new();
    let key = state.insert("a window of the program".to_owned());
    let mut shown = state.clone();
    state[key].push_str(", renamed");
    shown.clone_from(&state);
    assert_eq!(shown[key], state[key]);
}
