//! Answers to commands that watch this program: its memory, once a second.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tracemalloc::internal::heap::Holdings;
use tracemalloc::internal::held_memory::{HeldMemory, HeldRow};
use tracemalloc::internal::judge::{LiveLine, PlaceNamer, Rules};

use crate::protocol::live_memory::{
    HeldRowEntry, LIVE_FILE, LineEntry, LiveMemory, WATCH_EXPIRES, WATCH_FILE,
};
use crate::protocol::wire::to_bytes;

/// A search takes at most this part of the time.
const SHARE_OF_SEARCHES: u32 = 10;

/// The program's side of a live view.
#[derive(Debug)]
pub struct LiveView {
    watch: PathBuf,
    live: PathBuf,
    started: Instant,
    namer: PlaceNamer,
    held: HeldMemory,
    /// The next search of the heap is not before this moment.
    next_search: Instant,
    number: u64,
}

impl LiveView {
    /// A view in this session. Commands do not have to watch yet.
    pub fn new(session_dir: &Path, rules: &Rules) -> Self {
        Self {
            watch: session_dir.join(WATCH_FILE),
            live: session_dir.join(LIVE_FILE),
            started: Instant::now(),
            namer: PlaceNamer::new(rules),
            held: HeldMemory::default(),
            next_search: Instant::now(),
            number: 0,
        }
    }

    /// Answers with the memory of now, if a command watches.
    pub fn answer(&mut self, search: impl FnOnce() -> Result<Holdings, &'static str>) {
        if !self.is_watched() {
            return;
        }
        if Instant::now() >= self.next_search {
            let start = Instant::now();
            self.held = match search() {
                Ok(holdings) => HeldMemory::of(&holdings, &mut self.namer),
                Err(why) => HeldMemory { rows: Vec::new(), note: Some(why.to_owned()) },
            };
            self.next_search = Instant::now() + start.elapsed() * SHARE_OF_SEARCHES;
        }
        self.number += 1;
        let (current, peak) = tracemalloc::get_traced_memory();
        let lines = LiveLine::all(&mut self.namer).into_iter().map(|line| {
            let LiveLine { file, line, bytes, blocks } = line;
            LineEntry { file, line, bytes, blocks }
        });
        let memory = LiveMemory {
            number: self.number,
            seconds: self.started.elapsed().as_secs_f64(),
            current,
            peak,
            lines: lines.collect(),
            held: self.held.rows.iter().map(entry).collect(),
            held_note: self.held.note.clone(),
        };
        // A program that has changed its root directory or its user cannot answer. The command
        // sees that no answer comes.
        let temporary = self.live.with_extension("tmp");
        let _unanswered = fs::write(&temporary, to_bytes(&memory))
            .and_then(|()| fs::rename(&temporary, &self.live));
    }

    fn is_watched(&self) -> bool {
        let renewed = fs::metadata(&self.watch).and_then(|watch| watch.modified());
        renewed.is_ok_and(|renewed| match SystemTime::now().duration_since(renewed) {
            Ok(age) => age < WATCH_EXPIRES,
            // The clock was set back.
            Err(ahead) => ahead.duration() < Duration::from_secs(1),
        })
    }
}

fn entry(row: &HeldRow) -> HeldRowEntry {
    let HeldRow { parent, place, bytes, blocks } = row.clone();
    HeldRowEntry {
        parent,
        kind: place.kind.name().to_owned(),
        name: place.name,
        thread: place.thread,
        start: place.start,
        file: place.file,
        line: place.line,
        bytes,
        blocks,
    }
}
