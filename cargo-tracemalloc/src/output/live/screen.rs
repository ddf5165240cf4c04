//! The screen of a live view: the effects of keys, and the drawing.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Table, TableState};

use crate::output::live::view::{Row, View};
use crate::output::text::growth::{signed_size, size};

const KEYS: &str = "q quit   s sort   / filter   m mark   u unmark   Tab lines or holders   arrows scroll   p pause";

/// The state of a screen besides its view.
#[derive(Debug, Default)]
pub struct Screen {
    /// Whether new moments are left out.
    pub is_paused: bool,
    /// A message in place of the keys: the program has ended, or a file cannot be read.
    pub message: Option<String>,
    /// Whether keys go to the filter.
    is_typing: bool,
    shows_holders_first: bool,
    scroll: usize,
}

/// The consequence of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Go on.
    Continue,
    /// The end of the view.
    Quit,
}

impl Screen {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, view: &mut View) -> Reaction {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Reaction::Quit;
        }
        if self.is_typing {
            match key.code {
                KeyCode::Enter => self.is_typing = false,
                KeyCode::Esc => {
                    self.is_typing = false;
                    view.filter.clear();
                }
                KeyCode::Backspace => {
                    view.filter.pop();
                }
                KeyCode::Char(character) => view.filter.push(character),
                _ => {}
            }
            return Reaction::Continue;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Reaction::Quit,
            KeyCode::Char('s') => view.sort_next(),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('m') => view.mark(),
            KeyCode::Char('u') => view.unmark(),
            KeyCode::Char('p') => self.is_paused = !self.is_paused,
            KeyCode::Tab => {
                self.shows_holders_first = !self.shows_holders_first;
                self.scroll = 0;
            }
            KeyCode::Down | KeyCode::Char('j') => self.scroll += 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown => self.scroll += 10,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::Home => self.scroll = 0,
            _ => {}
        }
        Reaction::Continue
    }

    /// Draws the view. The table that scrolls stands first, and gets the most room.
    pub fn draw(&mut self, view: &View, frame: &mut Frame<'_>) {
        let rows = [
            Constraint::Length(2),
            Constraint::Fill(3),
            Constraint::Fill(2),
            Constraint::Length(1),
        ];
        let [head, first, second, foot] = Layout::vertical(rows).areas(frame.area());
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let head_lines = vec![Line::styled(view.title.clone(), bold), Line::raw(view.summary())];
        frame.render_widget(Paragraph::new(head_lines), head);
        let (lines, holders) = (view.lines(), view.holders());
        let shown = if self.shows_holders_first { &holders } else { &lines };
        self.scroll = self.scroll.min(shown.len().saturating_sub(1));
        let note = view.held_note();
        let holders_title = match &note {
            Some(note) => format!("Holders: {note}"),
            None => "Holders".to_owned(),
        };
        let (line_area, holder_area, line_scroll, holder_scroll) = if self.shows_holders_first {
            (second, first, 0, self.scroll)
        } else {
            (first, second, self.scroll, 0)
        };
        let sort = view.sort.name();
        table(frame, line_area, &format!("Lines, by {sort}"), &lines, line_scroll);
        table(frame, holder_area, &format!("{holders_title}, by {sort}"), &holders, holder_scroll);
        frame.render_widget(Paragraph::new(self.foot(view)), foot);
    }

    fn foot(&self, view: &View) -> String {
        if self.is_typing {
            return format!("filter: {}_   Enter keeps it, Esc removes it", view.filter);
        }
        let mut foot = String::new();
        if self.is_paused {
            foot += "paused   ";
        }
        if !view.filter.is_empty() {
            foot += &format!("filter: {}   ", view.filter);
        }
        foot + self.message.as_deref().unwrap_or(KEYS)
    }
}

fn table(frame: &mut Frame<'_>, area: Rect, title: &str, rows: &[Row], scroll: usize) {
    let widths = [
        Constraint::Length(11),
        Constraint::Length(11),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Fill(1),
    ];
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let heading =
        ratatui::widgets::Row::new(["growth", "size", "blocks", "more", "place"]).style(bold);
    // Rows below the screen are not made.
    let shown = rows.iter().take(scroll + usize::from(area.height)).map(|row| {
        let color = match row.size_diff {
            1.. => Color::Red,
            0 => Color::Reset,
            _ => Color::Green,
        };
        let cells = [
            Cell::new(signed_size(row.size_diff)).style(color),
            Cell::new(size(row.size)),
            Cell::new(row.count.to_string()),
            Cell::new(format!("{:+}", row.count_diff)),
            Cell::new(row.name.clone()),
        ];
        ratatui::widgets::Row::new(cells)
    });
    let block = Block::bordered().title(format!(" {title} ({}) ", rows.len()));
    let table = Table::new(shown, widths).header(heading).block(block);
    let mut state = TableState::new().with_offset(scroll);
    frame.render_stateful_widget(table, area, &mut state);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use tracemalloc::internal::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};

    use super::*;
    use crate::snapshot::{self, Moment};

    fn moment(seconds: f64, visits: u64) -> Moment {
        let lines = [("src/main.rs:22", visits * 100, visits), ("tokio/src/driver.rs:5", 4096, 1)];
        let line = |(name, size, count): (&str, u64, u64)| snapshot::Line {
            name: name.to_owned(),
            size,
            count,
        };
        let visits_place =
            HeldPlace { name: Some("demo::VISITS".to_owned()), ..HeldPlace::new(HeldKind::Static) };
        let texts = HeldPlace {
            name: Some("String".to_owned()),
            file: Some("src/main.rs".to_owned()),
            line: Some(22),
            ..HeldPlace::new(HeldKind::Blocks)
        };
        let rows = vec![
            HeldRow { parent: None, place: visits_place, bytes: 0, blocks: 0 },
            HeldRow { parent: Some(0), place: texts, bytes: visits * 100, blocks: visits },
        ];
        Moment {
            seconds: Some(seconds),
            current: visits * 100 + 4096,
            peak: Some(visits * 100 + 5000),
            lines: lines.into_iter().map(line).collect(),
            held: Some(HeldMemory { rows, note: None }),
        }
    }

    fn press(screen: &mut Screen, view: &mut View, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                other => KeyCode::Char(other),
            };
            assert_eq!(screen.press(code.into(), view), Reaction::Continue);
        }
    }

    fn drawn(screen: &mut Screen, view: &View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(90, 18)).unwrap();
        terminal.draw(|frame| screen.draw(view, frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_screen_shows_what_grows() {
        let mut view = View::new("process 42, demo".to_owned(), moment(1.0, 20));
        let mut screen = Screen::default();
        view.now = moment(9.0, 120);
        insta::assert_snapshot!("screen", drawn(&mut screen, &view));
        press(&mut screen, &mut view, "/main\nm\t");
        view.now = moment(11.0, 121);
        insta::assert_snapshot!("screen-filtered", drawn(&mut screen, &view));
        assert_eq!(screen.press(KeyCode::Char('q').into(), &mut view), Reaction::Quit);
    }

    #[test]
    fn a_small_terminal_is_no_fault() {
        let mut view = View::new("x".to_owned(), moment(1.0, 20));
        let mut screen = Screen::default();
        press(&mut screen, &mut view, "jjjjjjjjjjj");
        for (width, height) in [(1, 1), (3, 4), (20, 5), (300, 2)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| screen.draw(&view, frame)).unwrap();
        }
    }
}
