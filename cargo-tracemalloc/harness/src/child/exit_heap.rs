//! Collects the blocks that are live when a program ends, for the command.

use tracemalloc::internal::heap::Holdings;
use tracemalloc::internal::judge;

use crate::child::holder_entry::{holder_entry, lost_block};
use crate::child::verdict_entry::frame_entry;
use crate::protocol::exit_heap::{ExitHeap, HeldEntry, Lost, LostEntry};
use crate::protocol::session::Session;

/// The blocks that a search has found.
pub fn exit_heap(session: &Session, holdings: &Holdings) -> ExitHeap {
    let judge::ExitHeap { lost, lost_groups, held, doubt } =
        judge::ExitHeap::of(holdings, &session.rules());
    let held = held.into_iter().map(|sum| HeldEntry {
        bytes: sum.bytes,
        blocks: sum.blocks,
        holder: holder_entry(sum.holder),
    });
    let groups = lost_groups.into_iter().map(|group| LostEntry {
        bytes: group.amount.bytes,
        blocks: group.amount.blocks,
        domain: group.traceback.domain,
        type_name: group.traceback.type_name,
        holder: group.with.map(lost_block),
        traceback: group.traceback.traceback.into_iter().map(frame_entry).collect(),
        total_nframe: group.traceback.total_nframe,
    });
    ExitHeap {
        lost: Lost { bytes: lost.bytes, blocks: lost.blocks, groups: groups.collect() },
        held: held.collect(),
        note: doubt.map(str::to_owned),
    }
}
