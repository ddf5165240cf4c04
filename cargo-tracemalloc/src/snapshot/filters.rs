//! Filters of blocks, as options choose them.

use tracemalloc::{BaseFilter, DomainFilter, Filter, Snapshot};

use crate::cli::FilterArgs;

/// The blocks of a snapshot that options choose.
pub fn filtered(snapshot: &Snapshot, args: &FilterArgs) -> Snapshot {
    let filters = filters(args);
    let filters: Vec<&dyn BaseFilter> = filters.iter().map(AsRef::as_ref).collect();
    snapshot.filter_traces(&filters)
}

/// A domain narrows every pattern. Two inclusive filters would not, because a block passes if one
/// of them matches.
pub fn filters(args: &FilterArgs) -> Vec<Box<dyn BaseFilter>> {
    let mut filters: Vec<Box<dyn BaseFilter>> = Vec::new();
    for (inclusive, patterns) in [(true, &args.include), (false, &args.exclude)] {
        for pattern in patterns {
            let mut filter = Filter::new(inclusive, pattern).with_all_frames(args.all_frames);
            filter.domain = args.domain;
            filters.push(Box::new(filter));
        }
    }
    if let Some(domain) = args.domain.filter(|_| args.include.is_empty()) {
        filters.push(Box::new(DomainFilter::new(true, domain)));
    }
    filters
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tracemalloc::{BaseFilter, Frame, Snapshot, Trace, Traceback};

    use super::filters;
    use crate::cli::FilterArgs;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        filter: FilterArgs,
    }

    /// The sum of the sizes of the blocks that pass. The sizes are 1 (a.rs, domain 0), 2 (b.rs
    /// called by a.rs, domain 0), and 4 and 8 (the same in domain 7).
    fn kept(line: &str) -> u64 {
        let args = Cli::parse_from(format!("x {line}").split_whitespace()).filter;
        let a = Traceback::new([Frame::new("a.rs", 1)], None);
        let b = Traceback::new([Frame::new("a.rs", 1), Frame::new("b.rs", 1)], None);
        let traces = [(0, 1, &a), (0, 2, &b), (7, 4, &a), (7, 8, &b)];
        let traces =
            traces.map(|(domain, size, traceback)| Trace::new(domain, size, traceback.clone()));
        let filters = filters(&args);
        let filters: Vec<&dyn BaseFilter> = filters.iter().map(AsRef::as_ref).collect();
        let kept = Snapshot::new(traces.to_vec(), 2).filter_traces(&filters);
        kept.traces().iter().map(Trace::size).sum()
    }

    #[test]
    fn patterns_are_python_s_filters() {
        assert_eq!(kept(""), 15);
        assert_eq!(kept("--include a.rs"), 1 + 4);
        assert_eq!(kept("--include a.rs --include b*"), 15);
        assert_eq!(kept("--include a.rs --all-frames"), 15);
        assert_eq!(kept("--exclude a.rs"), 2 + 8);
        assert_eq!(kept("--exclude a.rs --all-frames"), 0);
        assert_eq!(kept("--include *.rs --exclude b.rs"), 1 + 4);
    }

    #[test]
    fn a_domain_narrows_what_patterns_leave() {
        assert_eq!(kept("--domain 7"), 4 + 8);
        assert_eq!(kept("--domain 0 --include b.rs"), 2);
        assert_eq!(kept("--domain 7 --exclude b.rs"), 4);
        assert_eq!(kept("--domain 7 --include *.rs --exclude a.rs"), 8);
        assert_eq!(kept("--domain 5"), 0);
    }
}
