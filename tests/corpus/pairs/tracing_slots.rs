//! Slots of spans that were closed are not used again.
//!
//! A run takes 20 slots, so the first run stays in the first page, of 32 slots, and later runs add
//! all of the growth. `tracing_many_slots.rs` is the other case: its first run grows most.

use std::sync::Once;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// Without a layer on top of it, a registry never frees a span.
struct Silent;

impl Layer<Registry> for Silent {}

fn answer(requests: usize) {
    for id in 0..requests {
        tracing::info_span!("request", id).in_scope(|| tracing::info!("working")); // leaks
    }
}

#[test]
pub fn tracing_slots() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing::subscriber::set_global_default(Registry::default().with(Silent)).unwrap();
    });
    answer(20);
}

/// The same in a registry that is dropped.
#[test]
pub fn tracing_slots_of_a_local() {
    tracing::subscriber::with_default(Registry::default().with(Silent), || answer(20));
}
