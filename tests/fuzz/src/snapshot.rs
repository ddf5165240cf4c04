//! Files of snapshots: what can be read can be summed up and written, and is then read as the same.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use tracemalloc::{KeyType, Snapshot};

use crate::scratch;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| scratch::directory().join("snapshot.json"));

/// Reads one file.
pub fn check(bytes: &[u8]) {
    if let Some(snapshot) = load(bytes) {
        for key in [KeyType::Filename, KeyType::Lineno, KeyType::Traceback] {
            let sum = snapshot.statistics(key, false).expect("a key without a condition");
            let same = snapshot.compare_to(&snapshot, key, false).expect("the same key");
            assert_eq!(same.len(), sum.len());
            for statistic in sum {
                assert!(!statistic.to_string().is_empty());
            }
        }
        snapshot.dump(&*FILE).expect("a snapshot is written");
        assert_eq!(Snapshot::load(&*FILE).expect("what is written can be read"), snapshot);
    }
}

/// The snapshot of a file with these bytes.
pub fn load(bytes: &[u8]) -> Option<Snapshot> {
    fs::write(&*FILE, bytes).expect("a file is written");
    Snapshot::load(&*FILE).ok()
}

/// The page's example, and one with holders.
pub fn seeds() -> Vec<Vec<u8>> {
    let page = include_str!("../../../docs/snapshot.md");
    let example = page.split("\n\n").find(|part| part.starts_with("    {\n")).unwrap_or_default();
    let example: String = example.lines().map(str::trim).collect();
    let holders = concat!(
        r#"],"holders":[[null,"static","demo::CACHE",null,null,"src/cache.rs",3,0,0],"#,
        r#"[0,"blocks","Vec<u8>",null,null,"src/cache.rs",12,4096,1],"#,
        r#"[1,"blocks","String",null,null,null,null,64,18446744073709551615]],"#,
        r#""sample_interval":512,"holders_note":"a part"}"#
    );
    let with_holders = format!("{}{holders}", example.trim_end_matches("]}"));
    vec![example.into_bytes(), with_holders.into_bytes()]
}
