//! The options for one test: the session's options with its overrides, and the known leaks of that
//! test.

use tracemalloc::fnmatchcase;

use crate::protocol::session::Session;

impl Session {
    /// Applies the overrides for a test, and removes options for other tests. If several overrides
    /// set one option, the first one holds.
    pub fn for_test(mut self, package: &str, test: &str) -> Self {
        let is_about = |of_package: &Option<String>, of_test: &Option<String>| {
            matches(of_package.as_deref(), package) && matches(of_test.as_deref(), test)
        };
        self.known_leaks.retain(|known| is_about(&known.package, &known.test));
        let overrides = std::mem::take(&mut self.overrides);
        // In reverse order, so that the first override replaces the others.
        for one in overrides.into_iter().rev().filter(|one| is_about(&one.package, &one.test)) {
            self.limits = one.limits.over(self.limits);
            self.timeout_seconds = one.timeout_seconds.or(self.timeout_seconds);
        }
        self
    }
}

fn matches(pattern: Option<&str>, name: &str) -> bool {
    pattern.is_none_or(|pattern| fnmatchcase(name, pattern))
}

#[cfg(test)]
mod tests {
    use tracemalloc::Limits;

    use crate::protocol::session::{Override, Session};

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn one(package: Option<String>, test: Option<String>, limits: Limits) -> Override {
        Override { package, test, limits, timeout_seconds: None }
    }

    #[test]
    fn the_first_override_that_says_something_holds() {
        let overrides = vec![
            one(None, text("cache::*"), Limits::new().max_growth(1)),
            one(text("demo"), None, Limits::new().max_growth(2).runs(3)),
            one(text("demo"), text("cache::*"), Limits::new().runs(4)),
            one(text("other"), None, Limits::new().max_growth(5)),
        ];
        let session = Session { overrides, ..Session::default() };
        let numbers = |package, test| {
            let limits = session.clone().for_test(package, test).limits;
            (limits.limit().max_growth, limits.runs.unwrap_or(0))
        };
        assert_eq!(numbers("demo", "cache::fills"), (1, 3));
        assert_eq!(numbers("demo", "cache"), (2, 3));
        assert_eq!(numbers("another", "cache::fills"), (1, 0));
        assert_eq!(numbers("another", "store"), (0, 0));
    }
}
