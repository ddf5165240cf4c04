//! `cargo tracemalloc completions` and the manual pages: what bash offers, beside its completion
//! for the rest of cargo.

#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;

use support::{Call, exit};

/// Prints what bash offers for the last of these words. Another completion for cargo came before.
const OFFERS: &str = r#"
_before() { COMPREPLY=("of cargo: $2"); }
complete -F _before cargo
source completions.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
[[ $(complete -p "$1") =~ ' -F '([^ ]+) ]]
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_the_subcommand_of_cargo_and_leaves_the_others() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("completions");
    fs::create_dir_all(&dir).unwrap();
    let script = Call::subcommand("completions").arg("bash").run().code(exit::CLEAN).stdout;
    fs::write(dir.join("completions.bash"), script).unwrap();
    let offers = |words: &[&str]| {
        let call = Call::program("bash").args("--norc -c").arg(OFFERS).arg("bash").dir(&dir);
        let output = words.iter().fold(call, |call, word| call.arg(word)).run().code(exit::CLEAN);
        assert_eq!(output.stderr, "");
        output.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(offers(&["cargo", "tracemalloc", "test", "--max-g"]), ["--max-growth"]);
    assert_eq!(offers(&["cargo", "+stable", "tracemalloc", "nex"]), ["nextest"]);
    let deny = ["once", "unconfirmed", "stale", "mismatch"];
    assert_eq!(offers(&["cargo", "tracemalloc", "test", "--deny", ""]), deny);
    assert_eq!(offers(&["cargo", "tracemalloc", "show-env", "--target-d"]), ["--target-dir"]);
    assert_eq!(offers(&["cargo-tracemalloc", "test", "--max-b"]), ["--max-blocks"]);
    assert_eq!(offers(&["cargo", "bui"]), ["of cargo: bui"]);
}

#[test]
fn there_is_a_manual_page_for_each_subcommand_that_help_lists() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    let _absent = fs::remove_dir_all(&dir);
    Call::subcommand("man").arg(&dir).run().code(exit::CLEAN);
    let help = Call::subcommand("--help").run().code(exit::CLEAN).stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    for command in commands.lines().filter(|line| !line.starts_with("   ")) {
        let name = command.split_whitespace().next().unwrap();
        if name == "help" {
            continue;
        }
        let page = fs::read_to_string(dir.join(format!("cargo-tracemalloc-{name}.1"))).unwrap();
        let page = page.replace("\\-", "-");
        assert!(page.contains(&format!("cargo tracemalloc {name}")), "{page}");
    }
    assert!(dir.join("cargo-tracemalloc.1").exists());
}
