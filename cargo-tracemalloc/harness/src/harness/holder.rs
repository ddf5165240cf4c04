//! What holds growth, as the report shows it.

use tracemalloc::raw::scan::{self, Fate, Step};
use tracemalloc::raw::{self, StackId, Symbolizer, symbol_name};

use crate::harness::traceback::{Shortener, Traceback};
use crate::{HolderEntry, HolderKind, Retained, StepEntry};

/// What has become of some growth.
#[derive(Debug, Clone, Default)]
pub struct Finding {
    pub retained: Option<Retained>,
    pub holder: Option<HolderEntry>,
    pub path: Vec<StepEntry>,
    pub path_steps: u32,
}

/// Puts what the heap says into the report's words.
pub struct Teller<'a> {
    pub shortener: &'a Shortener,
    pub symbolizer: &'a mut Symbolizer,
}

impl Teller<'_> {
    /// What is to be said of blocks with this fate.
    pub fn finding(&mut self, found: &scan::Retained) -> Finding {
        let path: Vec<StepEntry> = found.path.iter().map(|step| self.step(step)).collect();
        match (found.fate, found.head) {
            (Fate::LostWith, Some(head)) => Finding {
                retained: Some(Retained::Lost),
                holder: Some(self.lost_block(head)),
                path: Vec::new(),
                path_steps: 0,
            },
            (Fate::Lost | Fate::LostWith, _) => Finding { retained: Some(Retained::Lost), ..Finding::default() },
            (Fate::Held, _) => Finding {
                retained: Some(Retained::Held),
                holder: found.holder.as_ref().map(|holder| self.holder(holder)),
                path,
                path_steps: found.steps,
            },
        }
    }

    fn holder(&self, holder: &scan::Holder) -> HolderEntry {
        let place = holder.source.as_ref();
        HolderEntry {
            kind: match holder.kind {
                scan::HolderKind::Static => HolderKind::Static,
                scan::HolderKind::Library => HolderKind::Library,
                scan::HolderKind::ThreadLocal => HolderKind::ThreadLocal,
                scan::HolderKind::Stack => HolderKind::Stack,
                scan::HolderKind::Register => HolderKind::Register,
                scan::HolderKind::Foreign => HolderKind::Foreign,
            },
            name: match holder.kind {
                scan::HolderKind::Static | scan::HolderKind::ThreadLocal => symbol_name::pretty(&holder.name),
                _ => holder.name.clone(),
            },
            file: place.map(|(file, _)| self.shortener.file(file)),
            line: place.map(|(_, line)| *line),
            thread: holder.thread.clone(),
            start: holder.start.as_ref().map(|start| symbol_name::pretty(start)),
            known: holder.known,
        }
    }

    fn lost_block(&mut self, stack: StackId) -> HolderEntry {
        let traceback = self.traceback(stack);
        let (file, line) = place(&traceback);
        HolderEntry {
            kind: HolderKind::LostBlock,
            name: traceback.type_name.unwrap_or_else(|| "a lost block".to_owned()),
            file,
            line,
            thread: None,
            start: None,
            known: false,
        }
    }

    fn step(&mut self, step: &Step) -> StepEntry {
        let Some(stack) = step.stack else {
            return StepEntry { type_name: None, file: None, line: None, bytes: step.size };
        };
        let traceback = self.traceback(stack);
        let (file, line) = place(&traceback);
        StepEntry { type_name: traceback.type_name, file, line, bytes: step.size }
    }

    fn traceback(&mut self, stack: StackId) -> Traceback {
        let (symbols, _) = self.symbolizer.frames(raw::addresses(stack), symbol_name::ends_traceback);
        self.shortener.traceback(&symbols)
    }
}

/// Where a traceback's most recent frame is.
fn place(traceback: &Traceback) -> (Option<String>, Option<u32>) {
    let recent = traceback.traceback.last().filter(|frame| frame.line > 0);
    (recent.map(|frame| frame.file.clone()), recent.map(|frame| frame.line))
}
