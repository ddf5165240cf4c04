//! JSON for the Firefox Profiler: each stack is an allocation of its bytes.

use std::time::UNIX_EPOCH;

use anyhow::Result;
use fxprof_processed_profile::{
    CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, Profile as Document, SamplingInterval,
    Timestamp,
};

use crate::profile::Profile;

/// Renders a profile. The time of all samples is 0, because a profile has none.
pub fn render(profile: &Profile) -> Result<Vec<u8>> {
    let start = Timestamp::from_millis_since_reference(0.0);
    let interval = SamplingInterval::from_millis(1);
    let mut document = Document::new(profile.title, UNIX_EPOCH.into(), interval);
    let process = document.add_process(profile.title, 0, start);
    let thread = document.add_thread(process, 0, start, true);
    document.set_thread_name(thread, "all threads");
    document.set_symbolicated(true);
    for (address, stack) in (0..).zip(&profile.stacks) {
        let frames: Vec<FrameInfo> = stack
            .frames
            .iter()
            .map(|frame| FrameInfo {
                frame: Frame::Label(document.intern_string(&frame.label())),
                category_pair: CategoryHandle::OTHER.into(),
                flags: FrameFlags::empty(),
            })
            .collect();
        let handle = document.intern_stack_frames(thread, frames.into_iter());
        let size = i64::try_from(stack.bytes).unwrap_or(i64::MAX);
        // The address is the identity of an allocation, which nothing frees.
        document.add_allocation_sample(thread, start, handle, address, size);
        // The profiler shows no thread without a sample.
        document.add_sample(thread, start, handle, CpuDelta::ZERO, 0);
    }
    Ok(serde_json::to_vec(&document)?)
}
