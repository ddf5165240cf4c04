//! Asking twice for the same child of a mutable tree leaves one count of its parent too many.

use rowan::{GreenNode, GreenNodeBuilder, Language, SyntaxKind, SyntaxNode};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Plain;

impl Language for Plain {
    type Kind = u16;

    fn kind_from_raw(raw: SyntaxKind) -> u16 {
        raw.0
    }

    fn kind_to_raw(kind: u16) -> SyntaxKind {
        SyntaxKind(kind)
    }
}

fn tree() -> GreenNode {
    let mut builder = GreenNodeBuilder::new();
    builder.start_node(SyntaxKind(0)); // leaks
    builder.start_node(SyntaxKind(1)); // leaks
    builder.token(SyntaxKind(2), "word"); // leaks
    builder.finish_node(); // leaks
    builder.finish_node(); // leaks
    builder.finish() // leaks
}

#[test]
pub fn rowan_mutable() {
    let root = SyntaxNode::<Plain>::new_root(tree()).clone_for_update(); // leaks
    let first = root.first_child().unwrap(); // leaks
    let again = root.first_child().unwrap(); // leaks
    assert_eq!(first, again);
}

/// The same of a tree that is not mutable.
#[test]
pub fn a_frozen_tree() {
    let root = SyntaxNode::<Plain>::new_root(tree());
    let first = root.first_child().unwrap();
    let again = root.first_child().unwrap();
    assert_eq!(first, again);
}
