//! Flags for C and C++ code that build scripts compile: frame pointers, and line tables.
//!
//! The `cc` crate reads several variables. Its older versions take the first of them that is set,
//! newer ones join all. So the first one gets the flags, after what it has. If none is set, the
//! flags stand in a variable that only this crate reads. Build scripts that call `make` or
//! `configure` may have defaults of their own for `CFLAGS`.

const FLAGS: &str = "-fno-omit-frame-pointer -g1";

/// The variables for builds of these targets, with their values. `value` tells what a variable is
/// set to.
pub fn variables(
    triples: &[String],
    host: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for triple in triples.iter().filter(|triple| is_traced(triple)) {
        let role = if triple == host { "HOST" } else { "TARGET" };
        for flags in ["CFLAGS", "CXXFLAGS"] {
            let exact = format!("{flags}_{triple}");
            let usual = format!("{flags}_{}", triple.replace('-', "_"));
            let names = [&exact, &usual, &format!("{role}_{flags}"), &flags.to_owned()];
            let set = names.into_iter().find_map(|name| Some((name, value(name)?)));
            let (name, value) = match set {
                Some((name, value)) if *name == exact => (exact.clone(), value),
                Some((_, value)) => (usual, value),
                None => (usual, String::new()),
            };
            variables.push((name, format!("{value} {FLAGS}").trim_start().to_owned()));
        }
    }
    variables
}

/// Whether C's blocks are traced on a target.
fn is_traced(triple: &str) -> bool {
    triple.starts_with("x86_64-") && triple.ends_with("-linux-gnu")
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, variables};

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    fn c_flags(set: &[(&str, &str)], host: &str) -> (String, String) {
        let value = |name: &str| {
            let value = set.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        variables(&[TRIPLE.to_owned()], host, value).swap_remove(0)
    }

    #[test]
    fn the_flags_stand_after_those_that_are_there() {
        let usual = "CFLAGS_x86_64_unknown_linux_gnu";
        let expect = |set: &[(&str, &str)], name: &str, flags: &str| {
            let expected = (name.to_owned(), format!("{flags}{FLAGS}"));
            assert_eq!(c_flags(set, TRIPLE), expected, "{set:?}");
        };
        expect(&[], usual, "");
        expect(&[("CFLAGS", "-O1")], usual, "-O1 ");
        expect(&[("CFLAGS", "-O1"), ("HOST_CFLAGS", "-O2")], usual, "-O2 ");
        expect(&[("HOST_CFLAGS", "-O2"), (usual, "-O3")], usual, "-O3 ");
        expect(&[("TARGET_CFLAGS", "-O2"), ("CFLAGS", "-O1")], usual, "-O1 ");
        let exact = "CFLAGS_x86_64-unknown-linux-gnu";
        expect(&[(exact, "-Os"), (usual, "-O3")], exact, "-Os ");
    }

    #[test]
    fn other_targets_and_languages_have_variables_of_their_own() {
        let set = [("TARGET_CFLAGS", "-O2"), ("HOST_CFLAGS", "-O1")];
        assert_eq!(c_flags(&set, "aarch64-unknown-linux-gnu").1, format!("-O2 {FLAGS}"));
        let triples = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-gnu"];
        assert_eq!(variables(&triples.map(str::to_owned), TRIPLE, |_| None), []);
        let both = variables(&[TRIPLE.to_owned()], TRIPLE, |_| None);
        assert_eq!(both[1].0, "CXXFLAGS_x86_64_unknown_linux_gnu");
    }
}
