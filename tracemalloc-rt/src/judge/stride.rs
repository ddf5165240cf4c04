//! The stride of a loop: the rounds between two measurements, and those between two judgements.
//!
//! A loop may have very many rounds. So its stride doubles whenever the rounds do, and the series
//! of its growth are thinned to the new stride. Judging a loop costs the same however long it is.

/// Measurements of one stride, before it doubles.
const MEASURED: u32 = 1024;

/// The stride of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    /// The rounds between two measurements.
    pub rounds: u32,
    next_judgement: u32,
}

impl Stride {
    /// The stride of a loop that begins.
    pub fn new() -> Self {
        Self { rounds: 1, next_judgement: 0 }
    }

    /// Doubles the stride after many measurements. Returns whether it did.
    pub fn widen(&mut self, rounds: u32) -> bool {
        let widens = rounds >= MEASURED * self.rounds;
        if widens {
            self.rounds *= 2;
        }
        widens
    }

    /// Whether the growth is to be judged after so many rounds. The next time comes after twice as
    /// many.
    pub fn is_judgement_due(&mut self, rounds: u32) -> bool {
        let is_due = rounds >= self.next_judgement;
        if is_due {
            self.next_judgement = rounds.saturating_mul(2);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_and_judgements_become_seldom() {
        let (mut stride, mut rounds, mut measured, mut judgements) = (Stride::new(), 0, 0, 0);
        while rounds < 100_000 {
            rounds += stride.rounds;
            measured += 1;
            judgements += u32::from(rounds >= 100 && stride.is_judgement_due(rounds));
            if stride.widen(rounds) {
                assert_eq!(rounds % stride.rounds, 0, "windows end with measurements");
            }
        }
        assert_eq!((stride.rounds, judgements), (128, 10));
        assert!(measured < 5000, "{measured}");
    }
}
