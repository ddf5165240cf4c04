//! Options of `cargo tracemalloc completions`.

use clap::Args;
use clap_complete::Shell;

const AFTER_HELP: &str = "\
bash:        cargo tracemalloc completions bash >~/.local/share/bash-completion/completions/cargo-tracemalloc
             echo 'source ~/.local/share/bash-completion/completions/cargo-tracemalloc' >>~/.bashrc
zsh:         cargo tracemalloc completions zsh >DIRECTORY_IN_FPATH/_cargo-tracemalloc
fish:        cargo tracemalloc completions fish >~/.config/fish/completions/cargo-tracemalloc.fish
             echo 'source ~/.config/fish/completions/cargo-tracemalloc.fish' >>~/.config/fish/config.fish
PowerShell:  cargo tracemalloc completions powershell >>$PROFILE

In bash, zsh and fish, this completes `cargo tracemalloc`. Elsewhere it completes `cargo-tracemalloc`, \
because cargo has one completion for itself.";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
