//! A range of addresses.

/// Addresses from (inclusive) and to (exclusive).
pub type Range = (usize, usize);

/// Cuts a range into named parts and the gaps between them. `named` are the names with their
/// ranges, by address.
pub fn cut<T>(
    range: Range,
    named: impl Iterator<Item = (Range, T)>,
) -> impl Iterator<Item = (Range, Option<T>)> {
    let mut from = range.0;
    // An empty part at the end, so that the gap before it comes too.
    let named = named.map(|(range, name)| (range, Some(name))).chain([((range.1, range.1), None)]);
    let parts = named.flat_map(move |((start, end), name)| {
        let (start, end) = (start.max(from).min(range.1), end.max(from).min(range.1));
        let before = (from, start);
        from = end;
        [(before, None), ((start, end), name)]
    });
    parts.filter(|((start, end), _)| start < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_no_name_and_overlaps_belong_to_the_first() {
        let named = [((5, 20), 'a'), ((30, 50), 'b'), ((40, 60), 'c'), ((90, 130), 'd')];
        let parts: Vec<_> = cut((10, 100), named.into_iter()).collect();
        let expected = [
            ((10, 20), Some('a')),
            ((20, 30), None),
            ((30, 50), Some('b')),
            ((50, 60), Some('c')),
            ((60, 90), None),
            ((90, 100), Some('d')),
        ];
        assert_eq!(parts, expected);
    }
}
