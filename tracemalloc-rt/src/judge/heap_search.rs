//! The heap search of one test, with its known holders and its budget of time.

use core::cell::Cell;
use core::time::Duration;
use std::collections::HashMap;
use std::time::Instant;

#[cfg(feature = "symbolize")]
use crate::bridge::{self, Table};
use crate::heap;
use crate::heap::{Found, KnownHolder, SearchPlace, Stranger};
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::trace::stack_id::StackId;
use crate::util::fnmatch::Pattern;

/// The longest that all searches of one test may take together.
const PATIENCE: Duration = Duration::from_secs(20);

/// The heap search of one test.
#[derive(Debug, Clone)]
pub struct HeapSearch<'a> {
    known: Vec<KnownHolder<'a>>,
    stack_from: usize,
    place: SearchPlace,
    /// The runtime that searches, if it may be another copy than this one.
    #[cfg(feature = "symbolize")]
    table: Option<&'static Table>,
    /// The rest of the budget.
    left: Cell<Duration>,
}

impl<'a> HeapSearch<'a> {
    /// Searches with these known holders. Below the address `stack_from`, the stack of this thread
    /// belongs to the judge.
    pub fn new(known: Vec<KnownHolder<'a>>, stack_from: usize) -> Self {
        Self {
            known,
            stack_from,
            place: SearchPlace::Copy,
            #[cfg(feature = "symbolize")]
            table: None,
            left: Cell::new(PATIENCE),
        }
    }

    /// Searches by this runtime, in a copy of the process.
    #[cfg(feature = "symbolize")]
    #[must_use]
    pub fn across(self, table: &'static Table) -> Self {
        Self { table: Some(table), ..self }
    }

    /// Searches in this place.
    #[must_use]
    pub fn at(self, place: SearchPlace) -> Self {
        Self { place, ..self }
    }

    /// Searches for at most this time, for all runs together.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { left: Cell::new(self.left.get().min(time)), ..self }
    }

    /// Looks up the fate of the live blocks of these stacks; the error says why there is no result.
    ///
    /// Searches again while known holders lead to blocks that they do not own.
    pub fn ask(
        &self,
        stacks: &[StackId],
        symbolizer: &mut StackSymbolizer,
    ) -> Result<Found, &'static str> {
        let mut strangers = Vec::new();
        loop {
            let found = self.look_up(stacks, &strangers)?;
            let before = strangers.len();
            self.add_strangers(&found, symbolizer, &mut strangers);
            if strangers.len() == before {
                return Ok(found);
            }
        }
    }

    fn look_up(&self, stacks: &[StackId], strangers: &[Stranger]) -> Result<Found, &'static str> {
        let started = Instant::now();
        let (known, left) = (&self.known, self.left.get());
        #[cfg(feature = "symbolize")]
        let found = match self.table {
            Some(table) => bridge::look_up(table, stacks, known, strangers, self.stack_from, left),
            None => heap::look_up(stacks, known, strangers, self.stack_from, self.place, left),
        };
        #[cfg(not(feature = "symbolize"))]
        let found = heap::look_up(stacks, known, strangers, self.stack_from, self.place, left);
        self.left.set(left.saturating_sub(started.elapsed()));
        found
    }

    /// Adds the stacks whose blocks a known holder leads to and does not own. A stack that was cut
    /// off, or that has frames without names, is no stranger.
    fn add_strangers(
        &self,
        found: &Found,
        symbolizer: &mut StackSymbolizer,
        strangers: &mut Vec<Stranger>,
    ) {
        let mut patterns: HashMap<u32, Pattern> = HashMap::new();
        for entry in &found.entries {
            let number = entry.holder.as_ref().and_then(|holder| holder.known_number);
            let pattern = number.and_then(|number| {
                let functions = self.known.get(number as usize)?.allocated_by?;
                Some((number, functions))
            });
            let Some((holder, functions)) = pattern else { continue };
            let pattern = patterns.entry(holder).or_insert_with(|| Pattern::new(functions));
            let is_stranger = symbolizer
                .whole_frames(entry.stack)
                .is_some_and(|frames| !frames.iter().any(|frame| pattern.matches(frame.path())));
            if is_stranger {
                strangers.push(Stranger { holder, stack: entry.stack });
            }
        }
    }
}
