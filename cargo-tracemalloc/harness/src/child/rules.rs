//! The rules for judging a test: the command's options, then overrides, then the options of the
//! test's own `#[tracemalloc::check]`.

use tracemalloc::internal::judge::{KnownLeak, Limit, Prefix, Rules};
use tracemalloc::{KeyType, Limits};

use crate::protocol::session::{PathPrefix, Session};
use crate::protocol::test_entry::CheckEntry;

impl Session {
    /// The rules for a test without a check.
    pub(crate) fn rules(&self) -> Rules {
        let options = &self.options;
        let prefix = |rule: &PathPrefix| Prefix {
            prefix: rule.prefix.clone(),
            replacement: rule.replacement.clone(),
        };
        Rules {
            limit: Limit {
                max_growth: options.limit.max_growth,
                max_blocks: options.limit.max_blocks,
            },
            runs: options.runs,
            frames: options.frames,
            include: options.include.clone(),
            exclude: options.exclude.clone(),
            key: KeyType::Traceback,
            known_leaks: self
                .known_leaks
                .iter()
                .map(|known| KnownLeak {
                    file: known.file.clone(),
                    function: known.function.clone(),
                })
                .collect(),
            prefixes: self.path_prefixes.iter().map(prefix).collect(),
        }
    }
}

/// The report's entry for the options of a check.
pub fn check_entry(limits: Limits) -> CheckEntry {
    let Limits { max_growth, max_blocks, max_peak, include, exclude, frames, runs, key, skip } =
        limits;
    let key = key.map(|key| key.to_string());
    CheckEntry { max_growth, max_blocks, max_peak, include, exclude, frames, runs, key, skip }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::session::{self, Override};

    #[test]
    fn a_check_wins_over_overrides_and_they_over_options() {
        let mut session = Session::default();
        session.options.limit.max_growth = 1;
        session.options.limit.max_blocks = Some(1);
        session.options.runs = Some(4);
        session.options.frames = 1;
        session.options.include = vec!["options".to_owned()];
        session.options.exclude = vec!["options".to_owned()];
        let include = Some(vec!["override".to_owned()]);
        session.overrides = vec![Override {
            test: Some("fills".to_owned()),
            max_growth: Some(2),
            max_blocks: Some(2),
            runs: Some(5),
            include,
            ..Override::default()
        }];
        let of_test = |test| session.clone().for_test("demo", test).rules();
        let of_rules = |rules: Rules| {
            let Limit { max_growth, max_blocks } = rules.limit;
            (
                max_growth,
                max_blocks,
                rules.runs.unwrap_or(0),
                rules.frames,
                rules.include.concat(),
                rules.exclude.concat(),
            )
        };
        let text = str::to_owned;
        assert_eq!(
            of_rules(of_test("empties")),
            (1, Some(1), 4, 1, text("options"), text("options"))
        );
        assert_eq!(
            of_rules(of_test("fills")),
            (2, Some(2), 5, 1, text("override"), text("options"))
        );

        let own = |limits: Limits| of_rules(limits.over(of_test("fills")));
        assert_eq!(own(Limits::new()), (2, Some(2), 5, 1, text("override"), text("options")));
        assert_eq!(
            own(Limits::new().max_growth(3)),
            (3, None, 5, 1, text("override"), text("options"))
        );
        assert_eq!(
            own(Limits::new().max_blocks(3)),
            (u64::MAX, Some(3), 5, 1, text("override"), text("options"))
        );
        let all = Limits::new()
            .max_growth(3)
            .max_blocks(3)
            .runs(6)
            .frames(3)
            .include("check")
            .exclude("check");
        assert_eq!(own(all), (3, Some(3), 6, 3, text("check"), text("check")));
    }

    #[test]
    fn what_is_known_stays_known_in_a_test_with_a_check() {
        let known =
            session::KnownLeak { function: Some("*::grow".to_owned()), ..Default::default() };
        let session = Session { known_leaks: vec![known], ..Session::default() };
        let rules = Limits::new().max_growth(3).over(session.rules());
        assert_eq!(
            rules.known_leaks,
            [KnownLeak { file: None, function: Some("*::grow".to_owned()) }]
        );
    }
}
