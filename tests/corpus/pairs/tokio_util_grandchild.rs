//! When a token is cancelled whose child is gone, that child's children are forgotten.

use tokio_util::sync::CancellationToken;

#[test]
pub fn tokio_util_grandchild() {
    let server = CancellationToken::new();
    let request = server.child_token().child_token(); // leaks
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
