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
            let options = &mut self.options;
            set(&mut options.limit.max_growth, one.max_growth);
            set(&mut options.limit.max_blocks, one.max_blocks.map(Some));
            set(&mut options.runs, one.runs.map(Some));
            set(&mut options.frames, one.frames);
            set(&mut options.include, one.include);
            set(&mut options.exclude, one.exclude);
            set(&mut self.timeout_seconds, one.timeout_seconds.map(Some));
        }
        self
    }
}

fn matches(pattern: Option<&str>, name: &str) -> bool {
    pattern.is_none_or(|pattern| fnmatchcase(name, pattern))
}

fn set<T>(option: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *option = value;
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::session::{Override, Session};

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_first_override_that_says_something_holds() {
        let overrides = vec![
            Override { test: text("cache::*"), max_growth: Some(1), ..Override::default() },
            Override {
                package: text("demo"),
                max_growth: Some(2),
                runs: Some(3),
                ..Override::default()
            },
            Override {
                package: text("demo"),
                test: text("cache::*"),
                runs: Some(4),
                ..Override::default()
            },
            Override { package: text("other"), max_growth: Some(5), ..Override::default() },
        ];
        let session = Session { overrides, ..Session::default() };
        let numbers = |package, test| {
            let options = session.clone().for_test(package, test).options;
            (options.limit.max_growth, options.runs.unwrap_or(0))
        };
        assert_eq!(numbers("demo", "cache::fills"), (1, 3));
        assert_eq!(numbers("demo", "cache"), (2, 3));
        assert_eq!(numbers("another", "cache::fills"), (1, 0));
        assert_eq!(numbers("another", "store"), (0, 0));
    }
}
