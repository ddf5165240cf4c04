//! A TOML file whose values know their lines. Every error names the line.

use std::fmt::Display;
use std::ops::Range;
use std::rc::Rc;

use anyhow::Result;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::util::exit_code::UsageError;
use crate::util::nearest_name::nearest;

/// A TOML file.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its name in errors.
    pub name: &'a str,
    /// Its content.
    pub source: &'a str,
}

/// A table of which the reader takes one key after the other. The keys that are left are unknown.
#[derive(Debug)]
pub struct Table<'a> {
    document: Document<'a>,
    lines: Lines,
    entries: DeTable<'a>,
    known: Vec<&'static str>,
    /// The place of its header or first key.
    pub place: String,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// The place: `tracemalloc.toml:3`.
    pub place: String,
}

impl<'a> Document<'a> {
    /// Parses the whole file as a table.
    pub fn parse(self) -> Result<Table<'a>> {
        let lines = Lines::of(self.source);
        let table = DeTable::parse(self.source).map_err(|error| {
            let line = lines.at(error.span().unwrap_or_default());
            usage(format!("failed to parse {} line {line}: {}", self.name, error.message()))
        })?;
        Ok(Table::new(self, lines, table))
    }
}

/// The ends of a file's lines. A file may have many tables, and each asks for its line.
#[derive(Debug, Clone)]
struct Lines {
    ends: Rc<[usize]>,
}

impl Lines {
    fn of(source: &str) -> Self {
        Self { ends: source.match_indices('\n').map(|(end, _)| end).collect() }
    }

    /// The number of the line in which a part of the file begins.
    fn at(&self, span: Range<usize>) -> usize {
        self.ends.partition_point(|end| *end < span.start) + 1
    }
}

impl<'a> Table<'a> {
    fn new(document: Document<'a>, lines: Lines, table: Spanned<DeTable<'a>>) -> Self {
        let place = format!("{}:{}", document.name, lines.at(table.span()));
        Self { document, lines, entries: table.into_inner(), known: Vec::new(), place }
    }

    /// Takes the value of a key. `parse` returns the reason of an error.
    pub fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<Option<Placed<T>>> {
        self.known.push(key);
        let Some(value) = self.entries.remove(key) else {
            return Ok(None);
        };
        let (name, line) = (self.document.name, self.lines.at(value.span()));
        let value = parse(value.get_ref())
            .map_err(|error| usage(format!("`{key}` in {name} line {line}: {error}")))?;
        Ok(Some(Placed { value, place: format!("{name}:{line}") }))
    }

    /// Takes the table of a key.
    pub fn table(&mut self, key: &'static str) -> Result<Option<Table<'a>>> {
        self.known.push(key);
        let Some(value) = self.entries.remove(key) else {
            return Ok(None);
        };
        self.as_table(key, value).map(Some)
    }

    /// Takes the tables of a key: `[[key]]`.
    pub fn tables(&mut self, key: &'static str) -> Result<Vec<Table<'a>>> {
        self.known.push(key);
        let Some(value) = self.entries.remove(key) else {
            return Ok(Vec::new());
        };
        let line = self.lines.at(value.span());
        match value.into_inner() {
            DeValue::Array(array) => {
                array.into_iter().map(|value| self.as_table(key, value)).collect()
            }
            _ => Err(usage(format!(
                "`{key}` in {} line {line}: expected tables: `[[{key}]]`",
                self.document.name
            ))),
        }
    }

    fn as_table(&self, key: &str, value: Spanned<DeValue<'a>>) -> Result<Table<'a>> {
        let span = value.span();
        let (name, line) = (self.document.name, self.lines.at(span.clone()));
        match value.into_inner() {
            DeValue::Table(table) => {
                Ok(Table::new(self.document, self.lines.clone(), Spanned::new(span, table)))
            }
            other => Err(usage(format!(
                "`{key}` in {name} line {line}: expected a table, found {}",
                other.type_str()
            ))),
        }
    }

    /// An error of the whole table.
    pub fn error(&self, what: impl Display) -> anyhow::Error {
        usage(format!("{what} in {}", self.place.replacen(':', " line ", 1)))
    }

    /// Returns an error for the first key that nothing has taken.
    pub fn finish(&self) -> Result<()> {
        let Some(key) = self.entries.keys().min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        let line = self.lines.at(key.span());
        let hint = match nearest(key.get_ref(), self.known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("expected one of `{}`", self.known.join("`, `")),
        };
        Err(usage(format!(
            "unknown key `{}` in {} line {line}, {hint}",
            key.get_ref(),
            self.document.name
        )))
    }
}

fn usage(text: String) -> anyhow::Error {
    UsageError(text).into()
}

#[cfg(test)]
mod tests {
    use super::Document;

    fn parse(source: &str) -> Result<(), String> {
        let read = || {
            let mut table = Document { name: "x.toml", source }.parse()?;
            table.take("max-growth", |value| {
                value.as_integer().map(drop).ok_or("no number".to_owned())
            })?;
            table.take("max-blocks", |_| Ok(()))?;
            for mut one in table.tables("overrides")? {
                one.take("test", |_| Ok(()))?;
                one.finish()?;
            }
            table.finish()
        };
        read().map_err(|error: anyhow::Error| error.to_string())
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        assert_eq!(parse("# a comment\nmax-growth = 1\n[[overrides]]\ntest = 'a'\n"), Ok(()));
        let error = |source| parse(source).unwrap_err();
        assert_eq!(
            error("\n\nmax-grwoth = 1\n"),
            "unknown key `max-grwoth` in x.toml line 3, did you mean `max-growth`?"
        );
        assert_eq!(
            error("zzz = 1"),
            "unknown key `zzz` in x.toml line 1, expected one of `max-growth`, `max-blocks`, `overrides`"
        );
        assert_eq!(
            error("[[overrides]]\ntest = 'a'\n\n[[overrides]]\ntets = 'a'\n"),
            "unknown key `tets` in x.toml line 5, did you mean `test`?"
        );
        assert_eq!(error("\nmax-growth = 'a'"), "`max-growth` in x.toml line 2: no number");
        assert_eq!(
            error("overrides = 1"),
            "`overrides` in x.toml line 1: expected tables: `[[overrides]]`"
        );
        let syntax = error("max-growth = 1\nmax-blocks = \n");
        assert!(syntax.starts_with("failed to parse x.toml line 2: "), "{syntax}");
    }

    /// When each table counted the lines before it, these took hours.
    #[test]
    fn many_tables_take_no_longer_each_than_few() {
        let source = "[[overrides]]\ntest = 'a'\n".repeat(100_000);
        assert_eq!(parse(&source), Ok(()));
    }
}
