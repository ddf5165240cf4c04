//! Turning what `from_owner` made into a `Vec` copies the bytes and forgets the owner.

use bytes::Bytes;

#[test]
pub fn bytes_from_owner() {
    let text = String::from("the text of a request");
    let bytes = Bytes::from_owner(text.clone()); // leaks
    let vec: Vec<u8> = bytes.into();
    assert_eq!(vec, text.into_bytes());
}

/// The owner goes with the bytes.
#[test]
pub fn an_owner_that_is_dropped() {
    let bytes = Bytes::from_owner(String::from("the text of a request"));
    assert_eq!(bytes.len(), 21);
}
