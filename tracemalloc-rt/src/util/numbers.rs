//! Numbers that look random, for tests.

/// The generator. Each seed has its own numbers.
pub struct Numbers(pub u64);

impl Numbers {
    /// A number from 0 to `end`, without it.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}
