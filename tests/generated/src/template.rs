//! A Rust file with parameters: a core or a wrapping.
//!
//! Its first lines are its documentation, `//! ...`. Then come its parameters, a line each:
//!
//! - `//@ NAME LEAST..=MOST` is a constant, a random number of that range;
//! - `//@ Name SET` is a type, a random one of that set.
//!
//! The rest is code, which uses the names.

use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::rng::Rng;

/// Types that may be shared between threads. `support/value.rs` makes values of all of them.
const SHARED: [&str; 18] = [
    "Vec<u8>",
    "Vec<u64>",
    "Vec<String>",
    "String",
    "std::ffi::CString",
    "std::ffi::OsString",
    "std::path::PathBuf",
    "Box<[u8]>",
    "Box<[u64; 16]>",
    "Box<dyn Fn() -> usize + Send + Sync>",
    "Box<dyn std::fmt::Display + Send + Sync>",
    "std::sync::Arc<str>",
    "std::sync::Arc<Vec<u8>>",
    "std::collections::HashMap<u64, String>",
    "std::collections::HashSet<String>",
    "std::collections::BTreeMap<u64, Vec<u8>>",
    "std::collections::VecDeque<u32>",
    "std::collections::BinaryHeap<u32>",
];

/// Types beside those that stay in their thread.
const LOCAL: [&str; 3] = [
    "std::collections::LinkedList<Vec<u8>>",
    "std::rc::Rc<str>",
    "std::rc::Rc<std::cell::RefCell<Vec<u8>>>",
];

/// A template that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its documentation, without `//! `.
    pub documentation: Vec<String>,
    /// Its code.
    pub code: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq)]
enum Parameter {
    Number(String, RangeInclusive<u64>),
    Type(String, Vec<&'static str>),
}

impl Template {
    /// Reads a template's file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("failed to read {}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut template =
            Self { documentation: Vec::new(), code: String::new(), parameters: Vec::new() };
        for line in text.lines() {
            if let Some(parameter) = line.strip_prefix("//@ ") {
                template.parameters.push(Parameter::parse(parameter)?);
            } else if let Some(documentation) = line.strip_prefix("//!") {
                template.documentation.push(documentation.trim().to_owned());
            } else {
                template.code += line;
                template.code.push('\n');
            }
        }
        if template.documentation.is_empty() {
            return Err("it has no `//!` line".to_owned());
        }
        Ok(template)
    }

    /// Random values of all parameters, as Rust items.
    pub fn choose(&self, rng: &mut Rng) -> String {
        let mut items = String::new();
        for parameter in &self.parameters {
            let _ = match parameter {
                Parameter::Number(name, range) => {
                    writeln!(items, "const {name}: usize = {};", rng.within(range))
                }
                Parameter::Type(name, set) => writeln!(items, "type {name} = {};", rng.pick(set)),
            };
        }
        items
    }
}

impl Parameter {
    fn parse(line: &str) -> Result<Self, String> {
        let wrong = || format!("parameter {line:?} is neither NAME LEAST..=MOST nor Name SET");
        let (name, values) = line.split_once(' ').ok_or_else(wrong)?;
        let name = name.to_owned();
        Ok(match values {
            "shared" => Self::Type(name, SHARED.to_vec()),
            "local" => Self::Type(name, [&SHARED[..], &LOCAL].concat()),
            range => {
                let (least, most) = range.split_once("..=").ok_or_else(wrong)?;
                let number = |text: &str| text.parse().map_err(|_| wrong());
                Self::Number(name, number(least)?..=number(most)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_documentation_parameters_and_code() {
        let template = Template::parse("//! One.\n//!\n//! Two.\n//@ SIZE 3..=3\n\nfn core() {}\n")
            .expect("it is one");
        assert_eq!(template.documentation, ["One.", "", "Two."]);
        assert_eq!(template.code, "\nfn core() {}\n");
        assert_eq!(template.choose(&mut Rng::new(1)), "const SIZE: usize = 3;\n");
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let error = Template::parse("//! One.\n//@ SIZE many\n").expect_err("it is wrong");
        assert!(error.contains("SIZE many"), "{error}");
    }
}
