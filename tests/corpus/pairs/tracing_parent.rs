//! A span that its last child closes is never removed from the registry.

use std::sync::Once;

use tracing::{Subscriber, span};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

struct Label(String);

/// Gives each span a label.
struct Labels;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Labels {
    fn new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let label = Label(format!("the span with the number {}", id.into_u64())); // leaks
        span.extensions_mut().insert(label); // leaks
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        assert!(span.extensions().get::<Label>().unwrap().0.starts_with("the span"));
    }
}

fn answer(requests: usize) {
    for id in 0..requests {
        let request = tracing::info_span!("request", id); // leaks
        let work = tracing::info_span!(parent: &request, "work", id); // leaks
        drop(request);
        work.in_scope(|| tracing::info!("working"));
    }
}

#[test]
pub fn tracing_parent() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing::subscriber::set_global_default(Registry::default().with(Labels)).unwrap();
    });
    answer(20);
}

/// The same in a registry that is dropped.
#[test]
pub fn tracing_parent_of_a_local() {
    tracing::subscriber::with_default(Registry::default().with(Labels), || answer(20));
}
