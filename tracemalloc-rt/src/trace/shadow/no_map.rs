//! No map of the address space, on systems where every block is in the table.

use crate::trace::shadow::block::Block;

pub enum Common {}

impl Common {
    pub fn at(_address: usize) -> Option<Self> {
        None
    }

    pub fn insert<const OF_C: bool>(&self, _block: Block) -> bool {
        match *self {}
    }

    pub fn get<const OF_C: bool>(&self) -> Option<(Block, u32)> {
        match *self {}
    }

    pub fn is_free(&self) -> bool {
        match *self {}
    }

    pub fn clear(&self, _first: u32) -> bool {
        match *self {}
    }
}

pub fn prepare() -> bool {
    false
}

pub fn insert<const OF_C: bool>(_address: usize, _block: Block) -> bool {
    false
}

pub fn remove(_address: usize) -> Option<Block> {
    None
}

pub fn for_each(_visit: &mut impl FnMut(usize, Block)) {}

pub fn for_each_in_view(_visit: &mut impl FnMut(usize, Block)) {}

pub fn clear_view(_visit: &mut impl FnMut(usize, Block)) {}

pub fn get_in_view(_address: usize) -> Option<Block> {
    None
}

pub fn begin_of(_address: usize) -> Option<usize> {
    None
}
