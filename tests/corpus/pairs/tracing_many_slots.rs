//! Slots of spans that were closed are not used again, in a busy test.
//!
//! A run takes 5,000 slots. So the first run makes eight pages, each twice as large as the last,
//! and later runs seldom add a page. `tracing_slots.rs` is the other case: its first run stays in
//! one page.

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
pub fn tracing_many_slots() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing::subscriber::set_global_default(Registry::default().with(Silent)).unwrap();
    });
    answer(5000);
}

/// The same in a registry that is dropped.
#[test]
pub fn tracing_many_slots_of_a_local() {
    tracing::subscriber::with_default(Registry::default().with(Silent), || answer(5000));
}
