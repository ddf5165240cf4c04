//! `cargo tracemalloc completions`: prints a script that completes commands and options.

use anyhow::Result;
use clap_complete::{Shell, generate};

use crate::cli::{self, CompletionsArgs};
use crate::output;
use crate::util::exit_code::ExitCode;

/// The program's name, as it is in PATH.
const PROGRAM: &str = "cargo-tracemalloc";

/// The program's name for clap_complete's bash, which mixes up the words of a name with a hyphen.
const NAME_IN_BASH: &str = "cargo_tracemalloc";

/// Bash has one function for all of cargo. This one calls it for all other subcommands.
const IN_CARGO_OF_BASH: &str = r#"
if ! complete -p cargo >/dev/null 2>&1; then
    { _comp_load cargo || _completion_loader cargo; } >/dev/null 2>&1
fi
if [[ $(complete -p cargo 2>/dev/null) =~ ' -F '([^ ]+) ]] &&
    [[ ${BASH_REMATCH[1]} != _cargo_with_tracemalloc ]]; then
    _cargo_without_tracemalloc=${BASH_REMATCH[1]}
fi
_cargo_with_tracemalloc() {
    local at=1
    [[ ${COMP_WORDS[1]} == +* ]] && at=2
    if [[ ${COMP_WORDS[at]} == tracemalloc ]] && ((COMP_CWORD > at)); then
        COMP_WORDS=(cargo-tracemalloc "${COMP_WORDS[@]:at + 1}")
        COMP_CWORD=$((COMP_CWORD - at))
        _cargo_tracemalloc cargo-tracemalloc "$2" "$3"
    elif [[ -n ${_cargo_without_tracemalloc-} ]]; then
        "$_cargo_without_tracemalloc" "$@"
    fi
}
complete -F _cargo_with_tracemalloc -o bashdefault -o default cargo
"#;

/// Runs the command.
pub fn run(args: &CompletionsArgs) -> Result<ExitCode> {
    output::print_all(&script(args.shell))?;
    Ok(ExitCode::Clean)
}

/// The script for a shell.
fn script(shell: Shell) -> String {
    match shell {
        // The rest completes `cargo tracemalloc`.
        Shell::Bash => {
            let script = generated(shell, cli::command(), NAME_IN_BASH);
            let command = format!(" {NAME_IN_BASH}\n");
            script.replace(&command, &format!(" {PROGRAM}\n")) + IN_CARGO_OF_BASH
        }
        Shell::Fish => {
            // In fish, completions add up.
            let cargo = clap::Command::new("cargo")
                .disable_help_flag(true)
                .disable_help_subcommand(true)
                .subcommand(cli::command().name("tracemalloc"));
            generated(shell, cli::command(), PROGRAM) + &generated(shell, cargo, "cargo")
        }
        _ => generated(shell, cli::command(), PROGRAM),
    }
}

fn generated(shell: Shell, command: clap::Command, name: &'static str) -> String {
    let mut script = Vec::new();
    generate(shell, &mut command.name(name), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
