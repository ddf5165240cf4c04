//! The packet for a thread's result. std allocates one when it starts a thread.

/// Whether a type is that of a packet.
pub fn is_thread_packet(type_name: Option<&str>) -> bool {
    let inside = type_name.and_then(|name| name.strip_prefix("Arc<")).unwrap_or_default();
    inside.starts_with("Packet<") || inside.starts_with("std::thread::Packet<")
}
