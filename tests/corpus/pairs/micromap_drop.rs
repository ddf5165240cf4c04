//! The map on the stack has no destructor, so keys and values on the heap are forgotten.

use micromap::Map;

#[test]
pub fn micromap_drop() {
    let mut ports: Map<u16, String, 8> = Map::new();
    for port in 8000..8005 {
        ports.insert(port, format!("service at {port}")); // leaks
    }
    assert_eq!(ports.len(), 5);
}
