//! A generated test: a core of random sizes in one or two wrappings.

use std::fmt::Write as _;

use crate::kind::Kind;
use crate::rng::Rng;

/// One test, which is a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// `leak_KIND_N` or `clean_KIND_N`: the name of its file and of the test in it.
    pub name: String,
    /// The family of its core.
    pub family: String,
    /// The kind of its core.
    pub kind: String,
    /// Whether it leaks.
    pub leaks: bool,
    /// The text of its file.
    pub source: String,
}

impl TestCase {
    /// The test of this number, of this kind.
    pub fn random(number: usize, kind: &Kind, wrappings: &[Kind], rng: &mut Rng) -> Self {
        let truth = if kind.leaks() { "leak" } else { "clean" };
        let name = format!("{truth}_{}_{number}", kind.name);
        // Two wrappings in one test of four.
        let wrapped = if rng.below(4) == 0 { 2 } else { 1 };
        let wrapped: Vec<&Kind> = (0..wrapped).map(|_| rng.pick(wrappings)).collect();
        Self {
            source: source(&name, kind, &wrapped, rng),
            name,
            family: kind.family.clone(),
            kind: kind.name.clone(),
            leaks: kind.leaks(),
        }
    }
}

fn source(name: &str, kind: &Kind, wrapped: &[&Kind], rng: &mut Rng) -> String {
    let mut source = String::new();
    for line in &kind.template.documentation {
        source += format!("//! {line}").trim_end();
        source.push('\n');
    }
    let _ = write!(source, "\n{}{}", kind.template.choose(rng), kind.template.code);
    for (wrapping, module) in wrapped.iter().zip(["outer", "inner"]) {
        let _ = writeln!(source, "\nmod {module} {{");
        let head = &wrapping.template.documentation[0];
        let items = wrapping.template.choose(rng);
        let inside = format!("//! {head}\n\n{items}{}", wrapping.template.code);
        for line in inside.lines() {
            source += format!("    {line}").trim_end();
            source.push('\n');
        }
        source += "}\n";
    }
    source += match wrapped.len() {
        1 => "\npub fn body() {\n    outer::wrap(core);\n}\n",
        _ => {
            "\npub fn body() {\n    outer::wrap(inside);\n}\n\n\
             fn inside() {\n    inner::wrap(core);\n}\n"
        }
    };
    let _ = write!(source, "\n#[test]\nfn {name}() {{\n    body();\n}}\n");
    source
}
