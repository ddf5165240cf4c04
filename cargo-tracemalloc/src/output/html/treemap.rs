//! A treemap of leaking bytes: a rectangle for each holder, and in it one for each leak.

use std::collections::BTreeMap;

use maud::{Markup, html};
use treemap::{MapItem, Mappable, Rect, TreemapLayout};

use crate::output::text;
use crate::output::text::growth::size;
use crate::report::{Leak, LeakKind};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 400.0;
/// The height of a holder's title.
const TITLE: f64 = 18.0;
/// The width of a character.
const CHARACTER: f64 = 6.6;
/// Smaller leaks than this part of the whole are one rectangle: no eye sees them alone.
const SMALLEST: f64 = 1.0 / 4000.0;

/// A rectangle with what it shows.
struct Cell<T> {
    shown: T,
    item: MapItem,
}

impl<T> Mappable for Cell<T> {
    fn size(&self) -> f64 {
        self.item.size()
    }

    fn bounds(&self) -> &Rect {
        self.item.bounds()
    }

    fn set_bounds(&mut self, bounds: Rect) {
        self.item.set_bounds(bounds);
    }
}

/// A part of a holder's rectangle.
enum Part<'a> {
    Leak(&'a Leak),
    /// So many small leaks.
    Others(u64),
}

/// The leaks of a holder.
struct Group<'a> {
    name: String,
    class: &'static str,
    parts: Vec<(Part<'a>, f64)>,
}

/// Draws the leaks.
pub fn svg(leaks: &[&Leak]) -> Markup {
    let whole: f64 = leaks.iter().map(|leak| bytes(leak)).sum();
    let mut by_holder: BTreeMap<String, Vec<&Leak>> = BTreeMap::new();
    for leak in leaks.iter().filter(|leak| leak.bytes > 0) {
        by_holder.entry(holder(leak)).or_default().push(leak);
    }
    let groups = by_holder.into_iter().map(|(name, leaks)| {
        let sum = leaks.iter().map(|leak| bytes(leak)).sum();
        Cell { shown: group(name, &leaks, whole * SMALLEST), item: MapItem::with_size(sum) }
    });
    let bounds = Rect::from_points(0.0, 0.0, WIDTH, HEIGHT);
    html! {
        svg.treemap viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-label="Leaking bytes by holder and type" {
            @for group in laid_out(groups.collect(), bounds) { (drawn_group(&group)) }
        }
    }
}

/// The leaks of a holder, those below `smallest` in one part.
fn group<'a>(name: String, leaks: &[&'a Leak], smallest: f64) -> Group<'a> {
    let is_large = |leak: &&&Leak| bytes(leak) >= smallest;
    let mut parts: Vec<(Part<'_>, f64)> =
        leaks.iter().filter(is_large).map(|leak| (Part::Leak(leak), bytes(leak))).collect();
    let others = leaks.iter().filter(|leak| !is_large(leak));
    let sum: f64 = others.clone().map(|leak| bytes(leak)).sum();
    if sum > 0.0 {
        parts.push((Part::Others(others.count() as u64), sum));
    }
    let class = leaks.first().map_or("", |leak| super::class(leak.kind));
    Group { name, class, parts }
}

fn drawn_group(cell: &Cell<Group<'_>>) -> Markup {
    let Group { name, class, parts } = &cell.shown;
    let Rect { x, y, w, h } = *cell.bounds();
    let titled = if h > 3.0 * TITLE { TITLE } else { 0.0 };
    let cells =
        parts.iter().map(|(part, size)| Cell { shown: part, item: MapItem::with_size(*size) });
    let inside = Rect::from_points(x, y + titled, w, h - titled);
    html! {
        g class=(class) {
            @if titled > 0.0 { text.holder x=(x + 4.0) y=(y + 13.0) { (clipped(name, w)) } }
            @for cell in laid_out(cells.collect(), inside) { (drawn_part(&cell)) }
        }
    }
}

fn drawn_part(cell: &Cell<&Part<'_>>) -> Markup {
    let bounds = cell.bounds();
    match cell.shown {
        Part::Leak(leak) => {
            let name = leak.type_name.as_deref().unwrap_or("memory");
            html! {
                a href=(format!("#{}", leak.id)) {
                    title { (text::title(leak)) }
                    (rectangle(bounds, name, &size(leak.bytes)))
                }
            }
        }
        Part::Others(number) => {
            let name = text::line::count(*number, "smaller leak");
            html! { g { title { (name) } (rectangle(bounds, &name, "")) } }
        }
    }
}

fn rectangle(bounds: &Rect, name: &str, size: &str) -> Markup {
    let Rect { x, y, w, h } = *bounds;
    html! {
        rect x=(x) y=(y) width=(w) height=(h) {}
        @if h > 16.0 { text x=(x + 4.0) y=(y + 14.0) { (clipped(name, w)) } }
        @if h > 32.0 { text.size x=(x + 4.0) y=(y + 28.0) { (clipped(size, w)) } }
    }
}

fn laid_out<T>(mut cells: Vec<Cell<T>>, bounds: Rect) -> Vec<Cell<T>> {
    TreemapLayout::new().layout_items(&mut cells, bounds);
    cells
}

/// The part of a text that fits.
fn clipped(text: &str, width: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of characters; a negative one is 0"
    )]
    let most = ((width - 8.0) / CHARACTER) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    match most {
        0..4 => String::new(),
        _ => text.chars().take(most - 1).chain(['\u{2026}']).collect(),
    }
}

fn holder(leak: &Leak) -> String {
    match (&leak.holder, leak.kind) {
        (Some(holder), _) => text::growth::holder_name(holder).to_owned(),
        (None, LeakKind::Lost | LeakKind::Cycle) => "lost".to_owned(),
        (None, LeakKind::Held | LeakKind::Grown) => "growing".to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an area on a screen")]
fn bytes(leak: &Leak) -> f64 {
    leak.bytes as f64
}
