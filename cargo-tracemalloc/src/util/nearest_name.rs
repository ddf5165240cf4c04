//! The nearest name to one that does not exist, for suggestions.

/// The similarity (Jaro) from which a name is suggested. It is clap's.
const ALIKE: f64 = 0.7;

/// The name that is most like `wanted`, if one is like it.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let alike = |name: &str| strsim::jaro(name, wanted);
    let nearest = names.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    nearest.filter(|name| alike(name) > ALIKE)
}
