//! A terminal in tmux, whose screen tests read.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, id};
use std::time::Duration;

use super::Call;
use super::process::wait_for;

/// It ends when this is dropped.
pub struct Terminal {
    socket: String,
}

impl Terminal {
    /// Whether there is a tmux. CI needs one.
    pub fn is_installed() -> bool {
        let is_installed = Command::new("tmux").arg("-V").output().is_ok();
        if !is_installed {
            assert!(env::var_os("CI").is_none(), "CI needs tmux: ci/tools.sh installs it");
            eprintln!("skipped: no tmux is installed (apt-get install tmux)");
        }
        is_installed
    }

    /// Starts a call in a terminal of its own. `name` tells terminals of one process apart.
    pub fn start(name: &str, call: Call) -> Self {
        let terminal = Self { socket: format!("tracemalloc-{name}-{}", id()) };
        // The server takes its environment from the call, and keeps the screen after its end.
        let script = "exec tmux -L \"$SOCKET\" -f /dev/null start-server \\; \
                      set-option -g remain-on-exit on \\; \
                      new-session -d -x 140 -y 40 \"$@\"";
        let call = call.env("SOCKET", &terminal.socket).env("LC_ALL", "C.UTF-8");
        call.env("TERM", "xterm").without_env("CI").in_shell(script).run().code(0);
        terminal
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        let output = tmux.args(["-L", &self.socket]).args(args).env("LC_ALL", "C.UTF-8").output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Presses a key, or types a text.
    pub fn press(&self, keys: &str) {
        self.tmux(&["send-keys", keys]);
    }

    /// Waits for a screen that satisfies a condition.
    pub fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let screen = || Some(self.screen()).filter(|screen| holds(screen));
        let found =
            catch_unwind(AssertUnwindSafe(|| wait_for(what, Duration::from_secs(300), screen)));
        found.unwrap_or_else(|_| panic!("{what} does not come:\n{}", self.screen()))
    }

    /// Waits until the call has ended, and returns the last screen.
    pub fn wait_for_end(&self) -> String {
        let is_dead = || self.tmux(&["display-message", "-p", "#{pane_dead}"]).trim() == "1";
        wait_for("the call's end", Duration::from_secs(300), || is_dead().then_some(()));
        self.screen()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
