//! Text in the form of Python's `repr()` of a `str`, for messages and `Debug`.

use std::fmt::{self, Write};

/// `Display` writes the text in quotes, and escapes the characters that Python escapes.
pub(crate) struct Repr<'a>(pub(crate) &'a str);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') { '"' } else { '\'' };
        f.write_char(quote)?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\\' => f.write_str("\\\\")?,
                _ if c == quote => write!(f, "\\{c}")?,
                _ if is_printable(c) => f.write_char(c)?,
                '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(c))?,
                '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c))?,
                _ => write!(f, "\\U{:08x}", u32::from(c))?,
            }
        }
        f.write_char(quote)
    }
}

/// Whether Python shows the character as it is.
///
/// Rust's `escape_debug` decides by the same Unicode categories, with two exceptions. It escapes
/// quotes, and it escapes a combining mark at the start of a text, hence the letter in front.
fn is_printable(c: char) -> bool {
    let mut text = String::from("a");
    text.push(c);
    matches!(c, '\'' | '"') || text.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::Repr;

    #[test]
    fn shows_text_as_python_does() {
        // (text, repr(text) of CPython 3.11)
        for (text, expected) in [
            ("", r"''"),
            ("src/main.rs", r"'src/main.rs'"),
            ("it's", r#""it's""#),
            (r#"say "it""#, r#"'say "it"'"#),
            (r#"it's "it""#, r#"'it\'s "it"'"#),
            ("a\\b\n\r\t", r"'a\\b\n\r\t'"),
            ("\0\x1c\x7f\u{85}\u{a0}\u{ad}", r"'\x00\x1c\x7f\x85\xa0\xad'"),
            ("\u{200b}\u{2028}\u{3000}", r"'\u200b\u2028\u3000'"),
            ("\u{e0001}\u{10ffff}", r"'\U000e0001\U0010ffff'"),
            ("caf\u{e9} cafe\u{301} \u{301}", "'caf\u{e9} cafe\u{301} \u{301}'"),
            ("\u{8a9e}\u{1f600}\u{fffd}", "'\u{8a9e}\u{1f600}\u{fffd}'"),
        ] {
            assert_eq!(Repr(text).to_string(), expected, "{text:?}");
        }
    }
}
