//! Names of types and functions that fit into a line.

/// Shortens a name to `width` characters: first the paths of its parts, then the deepest generics.
///
/// `FuturesUnordered<Pending<()>>` stays as it is. A name of thousands of characters becomes
/// `FuturesUnordered<..>`.
pub fn short_name(name: &str, width: usize) -> String {
    let fits = |name: &str| name.chars().count() <= width;
    if fits(name) {
        return name.to_owned();
    }
    let bare = without_paths(name);
    let deepest = depth(&bare);
    let candidates = (0..deepest).rev().map(|most| cut_generics(&bare, most));
    std::iter::once(bare.clone()).chain(candidates).find(|name| fits(name)).unwrap_or_else(|| {
        let kept: String = cut_generics(&bare, 0).chars().take(width.saturating_sub(3)).collect();
        kept + "..."
    })
}

/// The name with the last segment of each path: `Vec<Node>` for `Vec<demo::graph::Node>`. The path
/// of the whole name keeps its last two segments, as a method needs its type.
fn without_paths(name: &str) -> String {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '{' | '}' | '#');
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        let kept = if out.is_empty() { 2 } else { 1 };
        // A method behind a type has only its own name.
        let whole = path.starts_with("::");
        let start =
            path.rmatch_indices("::").nth(kept - 1).filter(|_| !whole).map_or(0, |(at, _)| at + 2);
        out.push_str(&path[start..]);
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

/// The depth of nested generics.
fn depth(name: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for c in name.chars() {
        match c {
            '<' => now += 1,
            '>' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// The name with `..` in place of generics that lie deeper than `most`.
fn cut_generics(name: &str, most: usize) -> String {
    let mut out = String::new();
    let mut now = 0_usize;
    for c in name.chars() {
        match c {
            '<' => {
                if now <= most {
                    out.push('<');
                }
                if now == most {
                    out.push_str("..");
                }
                now += 1;
            }
            '>' if now > 0 => {
                now -= 1;
                if now <= most {
                    out.push('>');
                }
            }
            _ if now <= most => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn names_fit_and_keep_what_comes_first() {
        let name = "FuturesUnordered<Pending<()>>";
        assert_eq!(short_name(name, 80), name);
        let map = "HashMap<demo::store::Key, Vec<demo::store::Value>>";
        assert_eq!(short_name(map, 30), "HashMap<Key, Vec<Value>>");
        assert_eq!(short_name(map, 20), "HashMap<..>");
        let deep = format!("{}u8{}", "futures::Either<".repeat(4000), ">".repeat(4000));
        assert!(short_name(&deep, 80).chars().count() <= 80);
        assert!(short_name(&deep, 80).starts_with("futures::Either<Either<"));
    }

    #[test]
    fn functions_keep_their_type() {
        let name = "demo::one::two::three::four::five::Cache::fill";
        assert_eq!(short_name(name, 20), "Cache::fill");
    }
}
