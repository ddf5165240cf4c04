//! Shell-style patterns, with the rules of Python's `fnmatch.fnmatchcase`.
//!
//! Written by hand, because the glob crates reject patterns that Python accepts (an unclosed `[`, a
//! reversed range), and stop `*` at slashes and leading dots. A match takes at most as many steps
//! as the pattern's length times the name's.

/// Whether the whole name matches a pattern. `*` matches any run of characters, `?` any one,
/// `[a-z]` one of a range, and `[!a-z]` one outside of it. There is no escape character.
///
/// Python: `fnmatch.fnmatchcase`.
///
/// ```
/// assert!(tracemalloc::fnmatchcase("cache::tests::fills", "cache::*"));
/// assert!(!tracemalloc::fnmatchcase("cache::tests::fills", "cache"));
/// ```
pub fn fnmatchcase(name: &str, pattern: &str) -> bool {
    Pattern::new(pattern).matches(name)
}

/// A parsed pattern. Every text is a valid pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// `*`: any run of characters, slashes and newlines too.
    Run,
    /// `?`: any one character.
    Any,
    Char(char),
    Set(Set),
}

/// `[...]`: one character of these ranges, both ends included; or, if negated, one outside of all.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut index = 0;
        while let Some(&c) = chars.get(index) {
            index += 1;
            match c {
                '*' if tokens.last() == Some(&Token::Run) => {}
                '*' => tokens.push(Token::Run),
                '?' => tokens.push(Token::Any),
                '[' => match set_end(&chars, index) {
                    Some(end) => {
                        tokens.push(Token::Set(Set::new(&chars[index..end])));
                        index = end + 1;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                _ => tokens.push(Token::Char(c)),
            }
        }
        Pattern(tokens)
    }

    /// Whether any name matches. Only a set that has nothing but reversed ranges matches none.
    pub(crate) fn can_match(&self) -> bool {
        !self
            .0
            .iter()
            .any(|token| matches!(token, Token::Set(set) if set.ranges.is_empty() && !set.negated))
    }

    /// Whether the whole name matches.
    ///
    /// Only the last `*` has to be remembered. If the rest of the pattern fails behind it, a longer
    /// match of an earlier `*` does not help.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut rest = name.chars();
        let mut index = 0;
        let mut last_run = None;
        loop {
            match self.0.get(index) {
                Some(Token::Run) => {
                    index += 1;
                    last_run = Some((index, rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                Some(token) if rest.next().is_some_and(|c| token.accepts(c)) => {
                    index += 1;
                    continue;
                }
                _ => {}
            }
            let Some((after_run, run_end)) = &mut last_run else {
                return false;
            };
            if run_end.next().is_none() {
                return false;
            }
            index = *after_run;
            rest = run_end.clone();
        }
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Token::Run | Token::Any => true,
            Token::Char(expected) => c == *expected,
            Token::Set(set) => set.contains(c),
        }
    }
}

/// The place of the `]` that closes a set. `start` is behind its `[`. A `]` at the start is a
/// member.
fn set_end(chars: &[char], start: usize) -> Option<usize> {
    let mut first = start;
    if chars.get(first) == Some(&'!') {
        first += 1;
    }
    let length = chars.get(first + 1..)?.iter().position(|&c| c == ']')?;
    Some(first + 1 + length)
}

impl Set {
    /// `members` are the characters between the brackets.
    fn new(members: &[char]) -> Set {
        let mut negated = members.first() == Some(&'!');
        let mut rest = if negated { &members[1..] } else { members };
        let mut ranges = Vec::new();
        while let [low, after @ ..] = rest {
            // Python drops reversed ranges before it looks for the negation. So a `!` behind them
            // negates, too, and a range that begins with this `!` is none any more.
            let late_negation = *low == '!' && !negated && ranges.is_empty();
            rest = match after {
                ['-', high, after @ ..] => {
                    if low <= high && late_negation {
                        negated = true;
                        ranges.extend([('-', '-'), (*high, *high)]);
                    } else if low <= high {
                        ranges.push((*low, *high));
                    }
                    after
                }
                _ if late_negation => {
                    negated = true;
                    after
                }
                _ => {
                    ranges.push((*low, *low));
                    after
                }
            };
        }
        Set { negated, ranges }
    }

    fn contains(&self, c: char) -> bool {
        let in_ranges = self.ranges.iter().any(|&(low, high)| (low..=high).contains(&c));
        in_ranges != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    /// Each row: a pattern, names that match, names that do not.
    fn check(rows: &[(&str, &[&str], &[&str])]) {
        for (text, matching, others) in rows {
            let pattern = Pattern::new(text);
            for name in *matching {
                assert!(pattern.matches(name), "{text:?} matches {name:?}");
            }
            for name in *others {
                assert!(!pattern.matches(name), "{text:?} does not match {name:?}");
            }
        }
    }

    #[test]
    fn runs_cross_slashes_dots_and_newlines() {
        check(&[
            ("", &[""], &["a"]),
            ("*", &["", "a/b", ".hidden", "two\nlines"], &[]),
            (
                "src/*.rs",
                &["src/main.rs", "src/bin/x.rs", "src/.rs"],
                &["src/main.rsx", "xsrc/a.rs"],
            ),
            ("a**b", &["ab", "axxb"], &["a", "abc"]),
            ("*a*b*c*", &["abc", "xaxbxcx", "aabbcc"], &["acb", "ab"]),
            ("*.py", &[".py", "a.py.py"], &["a.py.", "a.PY"]),
        ]);
    }

    #[test]
    fn a_question_mark_is_one_character_not_one_byte() {
        check(&[
            ("caf?", &["caf\u{e9}", "cafe"], &["caf", "cafe\u{301}"]),
            ("?", &["/", "\n", "\u{1f600}"], &["", "ab"]),
        ]);
    }

    #[test]
    fn there_is_no_escape_character() {
        check(&[(r"a\*", &[r"a\", r"a\b"], &["a*", "ab"]), ("[*]", &["*"], &["a"])]);
    }

    #[test]
    fn brackets_without_an_end_are_literal() {
        check(&[
            ("[", &["["], &[""]),
            ("a[", &["a["], &["a"]),
            ("x[!", &["x[!"], &["xa"]),
            ("x[]", &["x[]"], &["x"]),
            ("x[!]", &["x[!]"], &["xa"]),
            ("*[*", &["[", "a[b"], &["a"]),
        ]);
    }

    #[test]
    fn sets_hold_members_and_ranges() {
        check(&[
            ("[a-c]", &["a", "b", "c"], &["d", "-", "A", ""]),
            ("[!a-c]", &["d", "!", "\n"], &["a", "b", ""]),
            ("[^a]", &["^", "a"], &["b"]),
            ("[]]", &["]"], &["["]),
            ("[!]]", &["["], &["]"]),
            ("[]-a]", &["]", "^", "a"], &["-", "b"]),
            ("[[]", &["["], &["]"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[-a]", &["a", "-"], &["b"]),
            ("[--0]", &["-", ".", "/", "0"], &["1", ","]),
            ("[a-c-e]", &["a", "b", "c", "-", "e"], &["d"]),
            ("[a-ce-g]", &["b", "f"], &["d", "-"]),
            (r"[\]", &[r"\"], &["]"]),
            ("[&&~~||]", &["&", "~", "|"], &["a"]),
            ("[\u{fffd}-\u{1f600}]", &["\u{10000}"], &["a"]),
        ]);
    }

    #[test]
    fn reversed_ranges_vanish() {
        check(&[
            ("[c-a]", &[], &["a", "b", "c", "-", ""]),
            ("[!c-a]", &["a", "-", "\n"], &["", "ab"]),
            ("[c-ax]", &["x"], &["a", "c", "-"]),
        ]);
    }

    #[test]
    fn only_an_empty_set_can_match_nothing() {
        for text in ["[c-a]", "src/[z-a]*"] {
            assert!(!Pattern::new(text).can_match(), "{text}");
        }
        for text in ["", "[]", "[!c-a]", "[c-ax]", "[", "a[]]"] {
            assert!(Pattern::new(text).can_match(), "{text}");
        }
    }

    #[test]
    fn behind_a_vanished_range_an_exclamation_mark_negates() {
        check(&[
            ("[c-a!x]", &["a", "!", "-"], &["x", ""]),
            ("[c-a!]", &["a", "!"], &[""]),
            ("[c-a!-x]", &["!", "a", "b"], &["-", "x"]),
            ("[c-a!-!]", &["a"], &["-", "!"]),
            ("[c-a!--0]", &["a", ".", "/"], &["-", "0"]),
            ("[c-ad!x]", &["d", "!", "x"], &["a"]),
            ("[!c-a!x]", &["a"], &["!", "x"]),
        ]);
    }

    #[test]
    fn many_runs_take_no_exponential_time() {
        let pattern = Pattern::new(&"a*".repeat(500));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(499))));
        assert!(!Pattern::new(&format!("{}b", "*a".repeat(30))).matches(&"a".repeat(5000)));
    }
}
