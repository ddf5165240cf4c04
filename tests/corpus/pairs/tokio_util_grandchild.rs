//! A token that is cancelled while a grandchild has outlived the child between them is forgotten.

use tokio_util::sync::CancellationToken;

#[test]
pub fn tokio_util_grandchild() {
    let server = CancellationToken::new(); // leaks
    let request = server.child_token().child_token();
    server.cancel();
    assert!(request.is_cancelled());
}

/// A child whose parent is there.
#[test]
pub fn a_child() {
    let server = CancellationToken::new();
    let request = server.child_token();
    server.cancel();
    assert!(request.is_cancelled());
}
