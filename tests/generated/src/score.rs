//! The score of verdicts: recall and precision, overall, by family and by kind.
//!
//! A leaking test has to be `leak`. A clean one has to be `clean` or `once`. Anything else is a
//! mistake, `unconfirmed` too. Recall is the share of leaking tests that are `leak`, and precision
//! the share of tests that leak among those that are `leak`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Formatter};

use crate::kind::FAMILIES;
use crate::truth::Truth;

/// The score of all workspaces that were added.
#[derive(Debug, Default)]
pub struct Score {
    /// By family, in the order of [`FAMILIES`], and kind.
    kinds: BTreeMap<(usize, String), Counts>,
    mistakes: Vec<String>,
}

/// The tests of a kind.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    tests: usize,
    right: usize,
    /// Those whose verdict is `leak`, rightly or not.
    leaks: usize,
}

impl Score {
    /// Adds the verdicts of one workspace.
    pub fn add(&mut self, workspace: &str, truth: &[Truth], verdicts: &HashMap<String, String>) {
        for test in truth {
            let verdict = verdicts.get(&test.name).map_or("missing", String::as_str);
            let right = match test.leaks() {
                true => verdict == "leak",
                false => verdict == "clean" || verdict == "once",
            };
            let family = FAMILIES.iter().position(|family| *family == test.family);
            let key = (family.unwrap_or(FAMILIES.len()), test.kind.clone());
            let counts = self.kinds.entry(key).or_default();
            counts.tests += 1;
            counts.right += usize::from(right);
            counts.leaks += usize::from(verdict == "leak");
            if !right {
                self.mistakes.push(format!("{workspace} {} is {verdict}", test.name));
            }
        }
    }

    /// Whether there is no mistake.
    pub fn is_perfect(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// The sum over the kinds of these families.
    fn sum(&self, families: impl Fn(usize) -> bool) -> Counts {
        let kinds = self.kinds.iter().filter(|((family, _), _)| families(*family));
        kinds.fold(Counts::default(), |sum, (_, counts)| Counts {
            tests: sum.tests + counts.tests,
            right: sum.right + counts.right,
            leaks: sum.leaks + counts.leaks,
        })
    }
}

/// The family of this index is the clean one.
fn is_clean(family: usize) -> bool {
    family == FAMILIES.len() - 1
}

impl Display for Score {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            writeln!(f, "wrong: {mistake}")?;
        }
        writeln!(
            f,
            "{:<8} {:<24} {:>5} {:>5} {:>5} {:>6}",
            "", "", "tests", "right", "leak", "share"
        )?;
        for ((family, kind), counts) in &self.kinds {
            line(f, FAMILIES.get(*family).unwrap_or(&"?"), kind, *counts)?;
        }
        let clean = self.sum(is_clean);
        for (index, family) in FAMILIES.iter().enumerate() {
            let counts = self.sum(|family| family == index);
            line(f, family, "all", counts)?;
            if !is_clean(index) {
                let precision = share(counts.right, counts.right + clean.leaks);
                let recall = share(counts.right, counts.tests);
                writeln!(
                    f,
                    "{family:<8} recall {recall}, precision {precision} beside all clean tests"
                )?;
            }
        }
        let leaking = self.sum(|family| !is_clean(family));
        writeln!(
            f,
            "overall: {} tests, {} mistakes, recall {}, precision {}",
            leaking.tests + clean.tests,
            self.mistakes.len(),
            share(leaking.right, leaking.tests),
            share(leaking.right, leaking.right + clean.leaks),
        )
    }
}

fn line(f: &mut Formatter<'_>, family: &str, kind: &str, counts: Counts) -> fmt::Result {
    let Counts { tests, right, leaks } = counts;
    let share = share(right, tests);
    writeln!(f, "{family:<8} {kind:<24} {tests:>5} {right:>5} {leaks:>5} {share:>6}")
}

/// A share with three digits, rounded down, so that 1.000 is all of them.
fn share(part: usize, whole: usize) -> String {
    match (part * 1000).checked_div(whole) {
        Some(thousandths) => format!("{}.{:03}", thousandths / 1000, thousandths % 1000),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The score of tests by family and verdict. A test with an empty verdict is not in the report.
    fn score(tests: &[(&str, &str)]) -> Score {
        let (mut truth, mut verdicts) = (Vec::new(), HashMap::new());
        for (number, (family, verdict)) in tests.iter().enumerate() {
            let (family, kind) = ((*family).to_owned(), "kind".to_owned());
            truth.push(Truth { name: number.to_string(), family, kind });
            if !verdict.is_empty() {
                verdicts.insert(number.to_string(), (*verdict).to_owned());
            }
        }
        let mut score = Score::default();
        score.add("seed-1", &truth, &verdicts);
        score
    }

    #[test]
    fn once_is_right_for_a_clean_test_alone() {
        assert!(score(&[("plain", "leak"), ("clean", "once"), ("clean", "clean")]).is_perfect());
        for wrong in ["once", "clean", "unconfirmed", "failed", ""] {
            assert!(!score(&[("plain", wrong)]).is_perfect(), "{wrong}");
        }
        for wrong in ["leak", "unconfirmed", "failed", "untraced", ""] {
            assert!(!score(&[("clean", wrong)]).is_perfect(), "{wrong}");
        }
    }

    #[test]
    fn recall_and_precision_are_of_all_tests() {
        let tests = [("plain", "leak"), ("moving", "once"), ("clean", "leak"), ("clean", "clean")];
        let text = score(&tests).to_string();
        assert!(text.contains("4 tests, 2 mistakes, recall 0.500, precision 0.500"), "{text}");
        assert!(text.contains("wrong: seed-1 1 is once"), "{text}");
    }

    #[test]
    fn a_share_below_one_is_never_shown_as_one() {
        assert_eq!(share(9999, 10000), "0.999");
        assert_eq!(share(3, 3), "1.000");
        assert_eq!(share(0, 0), "-");
    }
}
