//! The changes of the memory that holders lead to, between two snapshots.
//!
//! A change is shown where the number of blocks changes. For a list of visitors that grows, that is
//! at the visitors. For a connection with its buffers, it is at the connection, which retains them.
//! The changes add up to the whole difference.

use std::cmp::Reverse;
use std::collections::HashMap;

use tracemalloc::internal::held_memory::{HeldMemory, HeldPlace};

/// The changes of one path from a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChange {
    /// The holder, and the steps to the blocks.
    pub path: Vec<HeldPlace>,
    /// Bytes that the last step retains in the new snapshot.
    pub size: u64,
    /// The difference to the old snapshot.
    pub size_diff: i64,
    /// The number of these blocks.
    pub count: u64,
    /// The difference to the old snapshot.
    pub count_diff: i64,
}

/// All changes between two snapshots, the largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChanges {
    /// The changes.
    pub changes: Vec<HeldChange>,
    /// The reason, if a heap was not searched, or not as a whole.
    pub note: Option<String>,
}

impl HeldChanges {
    /// Compares two snapshots.
    pub fn between(old: &HeldMemory, new: &HeldMemory) -> Self {
        let note = new.note.as_ref().or(old.note.as_ref()).cloned();
        let is_unknown = |held: &HeldMemory| held.note.is_some() && held.rows.is_empty();
        if is_unknown(old) || is_unknown(new) {
            return Self { changes: Vec::new(), note };
        }
        let mut tree = Tree::default();
        tree.add(old, |both| &mut both.old);
        tree.add(new, |both| &mut both.new);
        tree.sum_up();
        let mut changes = tree.changes();
        changes.sort_by(|a, b| {
            let key = |change: &HeldChange| {
                (change.size_diff.unsigned_abs(), change.size, change.count_diff, change.count)
            };
            Reverse(key(a)).cmp(&Reverse(key(b))).then_with(|| a.path.cmp(&b.path))
        });
        Self { changes, note }
    }

    /// The memory of one snapshot, as changes since there was nothing.
    pub fn since_nothing(new: &HeldMemory) -> Self {
        Self::between(&HeldMemory::default(), new)
    }
}

/// Bytes and blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    bytes: u64,
    blocks: u64,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.blocks = self.blocks.saturating_add(other.blocks);
    }
}

/// Amounts of both snapshots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Both {
    old: Amount,
    new: Amount,
}

impl Both {
    fn size_diff(self) -> i64 {
        difference(self.old.bytes, self.new.bytes)
    }

    fn count_diff(self) -> i64 {
        difference(self.old.blocks, self.new.blocks)
    }
}

fn difference(old: u64, new: u64) -> i64 {
    let difference = i128::from(new) - i128::from(old);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

/// One place of both snapshots.
struct Node<'a> {
    place: &'a HeldPlace,
    parent: Option<usize>,
    children: Vec<usize>,
    own: Both,
    /// With all places below.
    retained: Both,
}

/// The places of both snapshots. Each stands behind its parent.
#[derive(Default)]
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    by_place: HashMap<(Option<usize>, &'a HeldPlace), usize>,
}

impl<'a> Tree<'a> {
    fn add(&mut self, held: &'a HeldMemory, side: impl Fn(&mut Both) -> &mut Amount) {
        let mut numbers: Vec<usize> = Vec::with_capacity(held.rows.len());
        for row in &held.rows {
            let parent = row.parent.map(|parent| numbers[parent as usize]);
            let place = &row.place;
            let number = *self.by_place.entry((parent, place)).or_insert_with(|| {
                let (own, retained) = Default::default();
                self.nodes.push(Node { place, parent, children: Vec::new(), own, retained });
                let number = self.nodes.len() - 1;
                if let Some(parent) = parent {
                    self.nodes[parent].children.push(number);
                }
                number
            });
            side(&mut self.nodes[number].own).add(Amount { bytes: row.bytes, blocks: row.blocks });
            numbers.push(number);
        }
    }

    fn sum_up(&mut self) {
        for number in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[number];
            node.retained.old.add(node.own.old);
            node.retained.new.add(node.own.new);
            let (parent, retained) = (node.parent, node.retained);
            if let Some(parent) = parent {
                self.nodes[parent].retained.old.add(retained.old);
                self.nodes[parent].retained.new.add(retained.new);
            }
        }
    }

    fn changes(&self) -> Vec<HeldChange> {
        let mut changes = Vec::new();
        let roots = (0..self.nodes.len()).filter(|number| self.nodes[*number].parent.is_none());
        let mut next: Vec<usize> = roots.collect();
        while let Some(number) = next.pop() {
            let node = &self.nodes[number];
            if self.is_shown_whole(node) {
                changes.extend(self.change(number, node.retained));
            } else {
                changes.extend(self.change(number, node.own));
                next.extend(&node.children);
            }
        }
        changes
    }

    /// Whether the number of blocks changes here, and not mainly further below.
    fn is_shown_whole(&self, node: &Node<'_>) -> bool {
        let more = node.own.count_diff().unsigned_abs();
        more > 0
            && !node.children.iter().map(|child| &self.nodes[*child]).any(|child| {
                let share = child.retained.size_diff().unsigned_abs();
                let whole = node.retained.size_diff().unsigned_abs();
                share >= whole / 4 * 3 && child.own.count_diff().unsigned_abs() > 2 * more
            })
    }

    /// The change of a place by this amount; `None` if nothing changes.
    fn change(&self, number: usize, amount: Both) -> Option<HeldChange> {
        let (size_diff, count_diff) = (amount.size_diff(), amount.count_diff());
        if size_diff == 0 && count_diff == 0 {
            return None;
        }
        let ancestors = std::iter::successors(Some(number), |number| self.nodes[*number].parent);
        let mut path: Vec<HeldPlace> =
            ancestors.map(|number| self.nodes[number].place.clone()).collect();
        path.reverse();
        let Amount { bytes: size, blocks: count } = amount.new;
        Some(HeldChange { path, size, size_diff, count, count_diff })
    }
}

#[cfg(test)]
mod tests {
    use tracemalloc::internal::held_memory::{HeldKind, HeldRow};

    use super::*;

    fn place(kind: HeldKind, name: &str) -> HeldPlace {
        let name = Some(name.to_owned());
        HeldPlace { kind, name, thread: None, start: None, file: None, line: None }
    }

    /// Rows of a depth, a name, and an amount.
    fn held(rows: &[(usize, &str, u64, u64)]) -> HeldMemory {
        let mut open: Vec<u32> = Vec::new();
        let rows = rows.iter().enumerate().map(|(number, (depth, name, bytes, blocks))| {
            open.truncate(*depth);
            let kind = if *depth == 0 { HeldKind::Static } else { HeldKind::Blocks };
            let parent = open.last().copied();
            open.push(number as u32);
            HeldRow { parent, place: place(kind, name), bytes: *bytes, blocks: *blocks }
        });
        HeldMemory { rows: rows.collect(), note: None }
    }

    fn changes(old: &[(usize, &str, u64, u64)], new: &[(usize, &str, u64, u64)]) -> Vec<String> {
        let changes = HeldChanges::between(&held(old), &held(new)).changes;
        let text = |change: &HeldChange| {
            let names: Vec<&str> =
                change.path.iter().map(|place| place.name.as_deref().unwrap()).collect();
            let HeldChange { size, size_diff, count, count_diff, .. } = change;
            format!("{}: {size} ({size_diff:+}) {count} ({count_diff:+})", names.join(">"))
        };
        changes.iter().map(text).collect()
    }

    #[test]
    fn a_list_that_grows_is_shown_at_its_entries() {
        let old = [(0, "SEEN", 0, 0), (1, "Vec", 240, 1), (2, "String", 1000, 10)];
        let new = [(0, "SEEN", 0, 0), (1, "Vec", 480, 1), (2, "String", 2000, 20)];
        assert_eq!(
            changes(&old, &new),
            ["SEEN>Vec>String: 2000 (+1000) 20 (+10)", "SEEN>Vec: 480 (+240) 1 (+0)"]
        );
        // In a new list, the entries are still the most.
        assert_eq!(
            changes(&[], &new),
            ["SEEN>Vec>String: 2000 (+2000) 20 (+20)", "SEEN>Vec: 480 (+480) 1 (+1)"]
        );
    }

    #[test]
    fn a_block_that_owns_others_retains_them() {
        let of = |n: u64| {
            [
                (0, "OPEN", 0, 0),
                (1, "Conn", 48 * n, n),
                (2, "buf", 100 * n, n),
                (2, "id", 20 * n, n),
            ]
        };
        assert_eq!(changes(&of(10), &of(20)), ["OPEN>Conn: 3360 (+1680) 60 (+30)"]);
        assert_eq!(changes(&of(20), &of(10)), ["OPEN>Conn: 1680 (-1680) 30 (-30)"]);
    }

    #[test]
    fn two_leaks_of_one_holder_are_two_changes() {
        let of = |cache: u64, log: u64| {
            [
                (0, "stack", 0, 0),
                (1, "App", 64, 1),
                (2, "page", cache * 10, cache),
                (2, "line", log, log),
            ]
        };
        assert_eq!(
            changes(&of(1, 1), &of(5, 7)),
            ["stack>App>page: 50 (+40) 5 (+4)", "stack>App>line: 7 (+6) 7 (+6)"]
        );
        assert_eq!(changes(&of(2, 2), &of(2, 2)), Vec::<String>::new());
    }

    #[test]
    fn the_changes_add_up() {
        let old = [(0, "A", 5, 1), (1, "x", 10, 2), (2, "y", 1, 1), (0, "B", 0, 0), (1, "x", 7, 7)];
        let new =
            [(0, "B", 3, 1), (1, "z", 9, 3), (2, "x", 100, 1), (0, "A", 5, 1), (1, "x", 11, 2)];
        let changes = HeldChanges::between(&held(&old), &held(&new)).changes;
        assert_eq!(changes.iter().map(|change| change.size_diff).sum::<i64>(), 128 - 23);
        assert_eq!(changes.iter().map(|change| change.count_diff).sum::<i64>(), 8 - 11);
    }

    #[test]
    fn a_heap_that_was_not_searched_is_not_empty() {
        let unknown = HeldMemory { rows: Vec::new(), note: Some("of a filter".to_owned()) };
        let changes = HeldChanges::between(&unknown, &held(&[(0, "A", 5, 1)]));
        assert_eq!(changes, HeldChanges { changes: vec![], note: Some("of a filter".to_owned()) });
        assert!(HeldChanges::between(&held(&[(0, "A", 5, 1)]), &unknown).changes.is_empty());
    }
}
