//! The kinds that the command line chooses, by their names or their families'.

use crate::kind::Kind;

/// A choice of kinds.
#[derive(Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    without: Vec<String>,
}

impl Selection {
    /// Reads `--only KINDS` and `--without KINDS`, where names are separated by commas.
    pub fn parse(options: &[&str]) -> Result<Self, String> {
        let mut selection = Self::default();
        for option in options.chunks(2) {
            let (names, text) = match option {
                ["--only", text] => (&mut selection.only, text),
                ["--without", text] => (&mut selection.without, text),
                _ => return Err(format!("expected --only KINDS or --without KINDS: {option:?}")),
            };
            names.extend(text.split(',').map(str::to_owned));
        }
        Ok(selection)
    }

    /// Those of them that it chooses.
    pub fn of(&self, mut kinds: Vec<Kind>) -> Result<Vec<Kind>, String> {
        let is = |kind: &Kind, name: &String| kind.name == *name || kind.family == *name;
        for name in self.only.iter().chain(&self.without) {
            if !kinds.iter().any(|kind| is(kind, name)) {
                return Err(format!("no kind and no family is called {name:?}"));
            }
        }
        kinds.retain(|kind| {
            let chosen = |names: &[String]| names.iter().any(|name| is(kind, name));
            (self.only.is_empty() || chosen(&self.only)) && !chosen(&self.without)
        });
        if kinds.is_empty() { Err("no kind is left".to_owned()) } else { Ok(kinds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;

    fn names(options: &[&str]) -> Result<Vec<String>, String> {
        let kinds = Selection::parse(options)?.of(kind::all()?)?;
        Ok(kinds.into_iter().map(|kind| kind.name).collect())
    }

    #[test]
    fn kinds_are_chosen_by_name_and_family() {
        assert_eq!(
            names(&["--only", "memo,forgotten"]),
            Ok(vec!["forgotten".into(), "memo".into()])
        );
        assert_eq!(names(&["--only", "memo,arena", "--without", "memo"]), Ok(vec!["arena".into()]));
        let pausing = names(&["--only", "pausing"]).expect("it is a family");
        assert!(pausing.contains(&"pages".to_owned()) && !pausing.contains(&"memo".to_owned()));
    }

    #[test]
    fn a_name_that_is_no_kind_is_an_error() {
        assert!(names(&["--only", "mem"]).is_err_and(|error| error.contains("\"mem\"")));
    }
}
