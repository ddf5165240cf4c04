//! The loop of a live view on a terminal: it reads keys, and draws.

use std::time::Duration;

use anyhow::{Context as _, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::output::live::screen::{Reaction, Screen};
use crate::output::live::view::View;
use crate::snapshot::Moment;

/// The time that the view waits for a key before it looks for a new moment.
pub const TICK: Duration = Duration::from_millis(200);

/// The answer to the question for a new moment.
pub enum Newest {
    /// There is none.
    Nothing,
    /// The moment.
    Moment(Moment),
    /// A message for the last line of the screen.
    Message(String),
}

/// Shows a view until its user leaves it. The terminal is as before, also after a panic.
pub fn on_terminal(view: &mut View, newest: impl FnMut() -> Newest) -> Result<()> {
    let mut terminal = ratatui::try_init().context("failed to open the view on the terminal")?;
    let shown = show(&mut terminal, view, newest);
    ratatui::restore();
    shown
}

fn show(
    terminal: &mut DefaultTerminal,
    view: &mut View,
    mut newest: impl FnMut() -> Newest,
) -> Result<()> {
    let mut screen = Screen::default();
    loop {
        match newest() {
            Newest::Moment(moment) if !screen.is_paused => {
                view.now = moment;
                screen.message = None;
            }
            Newest::Message(message) => screen.message = Some(message),
            Newest::Moment(_) | Newest::Nothing => {}
        }
        terminal.draw(|frame| screen.draw(view, frame)).context("failed to draw the view")?;
        if event::poll(TICK).context("failed to read a key")?
            && let Event::Key(key) = event::read().context("failed to read a key")?
            && key.kind == KeyEventKind::Press
            && screen.press(key, view) == Reaction::Quit
        {
            return Ok(());
        }
    }
}
