//! Real code: serde_json reads a document into values, clones them, and frees both.

use std::hint::black_box;

use serde_json::{Value, json};

use crate::{Figure, Workload, timed};

const KEYS: usize = 2000;

pub fn run(_: &Workload, times: usize) -> Figure {
    let text = document();
    timed(|| {
        for _ in 0..times {
            let value: Value =
                serde_json::from_str(black_box(&text)).expect("the document is JSON");
            black_box(value.clone());
        }
    })
}

fn document() -> String {
    let entries = (0..KEYS).map(|n| {
        let entry = json!({
            "id": n,
            "name": format!("entry number {n}"),
            "price": n as f64 / 8.0,
            "tags": ["small", format!("lot-{}", n % 97)],
        });
        (format!("key-{n:05}"), entry)
    });
    Value::Object(entries.collect()).to_string()
}
