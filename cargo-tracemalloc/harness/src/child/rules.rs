//! The rules for judging a test: the command's options, then overrides, then the options of the
//! test's own `#[tracemalloc::check]`.

use tracemalloc::internal::judge::{KnownLeak, Rules};

use crate::protocol::session::Session;

impl Session {
    /// The rules for a test without a check.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            limits: self.limits.clone(),
            known_leaks: self
                .known_leaks
                .iter()
                .map(|known| KnownLeak {
                    file: known.file.clone(),
                    function: known.function.clone(),
                })
                .collect(),
            prefixes: self.path_prefixes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tracemalloc::Limits;
    use tracemalloc::internal::Limit;

    use super::*;
    use crate::protocol::session::{self, Override};

    #[test]
    fn a_check_wins_over_overrides_and_they_over_options() {
        let limits = Limits::new()
            .max_growth(1)
            .max_blocks(1)
            .runs(4)
            .frames(1)
            .include("options")
            .exclude("options");
        let of_fills = Override {
            test: Some("fills".to_owned()),
            limits: Limits::new().max_growth(2).max_blocks(2).runs(5).include("override"),
            ..Override::default()
        };
        let session = Session { limits, overrides: vec![of_fills], ..Session::default() };
        let of_test = |test| session.clone().for_test("demo", test).rules();
        let of_rules = |rules: Rules| {
            let limits = rules.limits;
            let Limit { max_growth, max_blocks } = limits.limit();
            let (runs, frames) = (limits.runs.unwrap_or(0), limits.frame_count());
            let patterns = |patterns: Option<Vec<String>>| patterns.unwrap_or_default().concat();
            let (include, exclude) = (patterns(limits.include), patterns(limits.exclude));
            (max_growth, max_blocks, runs, frames, include, exclude)
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

        let own = |limits: Limits| of_rules(of_test("fills").with_check(limits));
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
    fn known_growth_stays_known_in_a_test_with_a_check() {
        let known =
            session::KnownLeak { function: Some("*::grow".to_owned()), ..Default::default() };
        let session = Session { known_leaks: vec![known], ..Session::default() };
        let rules = session.rules().with_check(Limits::new().max_growth(3));
        assert_eq!(
            rules.known_leaks,
            [KnownLeak { file: None, function: Some("*::grow".to_owned()) }]
        );
    }
}
