//! The reason why a test that has passed fails after all, where no command waits for its entry.

use crate::protocol::leak_text::leak_text;
use crate::protocol::mismatch_text::mismatch_text;
use crate::protocol::session::Session;
use crate::protocol::test_entry::TestEntry;

/// The text of the failure; `None` if nothing in the entry fails the test.
pub fn test_failure(entry: &TestEntry, session: &Session) -> Option<String> {
    let fail_on = session.fail_on.as_deref()?;
    if entry.verdict.is_some_and(|verdict| fail_on.contains(&verdict)) {
        return Some(leak_text(entry));
    }
    if !session.fails_on_mismatch || entry.mismatches.is_empty() {
        return None;
    }
    let lines = entry.mismatches.iter().map(|one| format!("mismatch: {}\n", mismatch_text(one)));
    Some(lines.collect())
}
