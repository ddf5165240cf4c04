//! The live memory by holder, with names and places as reports show them.

use std::collections::HashMap;

use crate::heap::{self, Holdings};
use crate::judge::place_namer::PlaceNamer;
use crate::model::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};

impl HeldMemory {
    /// The memory that a search has found.
    pub fn of(holdings: &Holdings, namer: &mut PlaceNamer) -> Self {
        let of_steps = holdings.held.iter().flat_map(|held| &held.steps).map(|step| step.stack);
        let of_lost =
            holdings.lost.iter().flat_map(|lost| lost.head.into_iter().chain([lost.stack]));
        namer.prepare(of_steps.chain(of_lost));
        let mut rows = Rows { namer, rows: Vec::new(), by_place: HashMap::new() };
        for held in &holdings.held {
            let place = rows.namer.holder(&held.holder);
            let of_steps: u64 = held.steps.iter().map(|step| step.bytes).sum();
            let blocks_of_steps: u64 = held.steps.iter().map(|step| step.blocks).sum();
            let holder =
                rows.add(None, place, held.bytes - of_steps, held.blocks - blocks_of_steps);
            let mut numbers: Vec<u32> = Vec::new();
            for step in &held.steps {
                let parent = step.parent.map_or(holder, |parent| numbers[parent]);
                let place = rows.namer.blocks(step.stack).clone();
                numbers.push(rows.add(Some(parent), place, step.bytes, step.blocks));
            }
        }
        rows.lost(holdings);
        Self { rows: rows.rows, note: holdings.doubt.map(str::to_owned) }
    }
}

struct Rows<'a> {
    namer: &'a mut PlaceNamer,
    rows: Vec<HeldRow>,
    by_place: HashMap<(Option<u32>, HeldPlace), u32>,
}

impl Rows<'_> {
    /// Adds blocks to the row of this place, which may be new.
    fn add(&mut self, parent: Option<u32>, place: HeldPlace, bytes: u64, blocks: u64) -> u32 {
        // Lines of different stacks may be equal, and those of a parent too.
        if let Some(number) = parent.filter(|number| self.rows[*number as usize].place == place) {
            self.rows[number as usize].bytes += bytes;
            self.rows[number as usize].blocks += blocks;
            return number;
        }
        let rows = &mut self.rows;
        let number = *self.by_place.entry((parent, place)).or_insert_with_key(|(parent, place)| {
            let (parent, place) = (*parent, place.clone());
            rows.push(HeldRow { parent, place, bytes: 0, blocks: 0 });
            rows.len() as u32 - 1
        });
        let row = &mut rows[number as usize];
        row.bytes += bytes;
        row.blocks += blocks;
        number
    }

    /// Lost blocks, each below the lost block that leads to it.
    fn lost(&mut self, holdings: &Holdings) {
        if holdings.lost_blocks == 0 {
            return;
        }
        let listed = |of: fn(&heap::Retained) -> u64| holdings.lost.iter().map(of).sum::<u64>();
        let place = HeldPlace::new(HeldKind::Lost);
        let bytes = holdings.lost_bytes.saturating_sub(listed(|lost| lost.bytes));
        let blocks = holdings.lost_blocks.saturating_sub(listed(|lost| lost.blocks));
        let all = self.add(None, place, bytes, blocks);
        for lost in &holdings.lost {
            let head = lost.head.map(|head| {
                let place = self.namer.blocks(head).clone();
                self.add(Some(all), place, 0, 0)
            });
            let place = self.namer.blocks(lost.stack).clone();
            self.add(Some(head.unwrap_or(all)), place, lost.bytes, lost.blocks);
        }
    }
}
