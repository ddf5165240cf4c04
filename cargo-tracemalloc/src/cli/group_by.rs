//! The key by which `top`, `diff` and `show` group blocks.

use std::fmt;

use tracemalloc::KeyType;

/// The key by which blocks are one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// One of Python's.
    Key(KeyType),
    /// The domain: the language, or the number that a program has given.
    Domain,
}

impl GroupBy {
    /// Parses a key: `filename`, `lineno`, `traceback`, `domain`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "domain" {
            return Ok(Self::Domain);
        }
        let expected = "expected `filename`, `lineno`, `traceback` or `domain`";
        text.parse().map(Self::Key).map_err(|_| expected.to_owned())
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(formatter),
            Self::Domain => formatter.write_str("domain"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tracemalloc::KeyType;

    use super::GroupBy;

    #[test]
    fn an_unknown_key_is_refused_with_all_keys() {
        assert_eq!(GroupBy::parse("lineno"), Ok(GroupBy::Key(KeyType::Lineno)));
        let expected = "expected `filename`, `lineno`, `traceback` or `domain`";
        assert_eq!(GroupBy::parse("line"), Err(expected.to_owned()));
    }
}
