//! Workflow commands of GitHub Actions: an annotation for each finding.

use crate::output::formats::Finding;
use crate::output::text::line::line;

/// `::error file=src/cache.rs,line=34,title=lost Vec<u8>::...`, a line for each leak.
pub fn render(findings: &[Finding<'_>]) -> String {
    let mut text = String::new();
    for finding in findings {
        let (file, title) = (property(&finding.file), property(&finding.title));
        let (number, message) = (finding.line, data(finding.text.trim()));
        line(&mut text, format_args!("::error file={file},line={number},title={title}::{message}"));
    }
    text
}

/// The text of a command, by the rules of GitHub's toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property: colons and commas would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn text_cannot_end_a_command_or_a_property() {
        assert_eq!(data("100%\r\na:b,c"), "100%25%0D%0Aa:b,c");
        assert_eq!(property("100%\na:b,c"), "100%25%0Aa%3Ab%2Cc");
    }
}
