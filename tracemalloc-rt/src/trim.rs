//! Which frames of a stack are the program's.

use crate::symbol_name;
use crate::symbolize::Symbol;

/// The frames of a stack, innermost first, in two parts; those of the tracing allocator are left out.
pub struct Trimmed<'a> {
    /// The standard library's between the allocator and the program.
    pub of_std: &'a [Symbol],
    /// From the innermost one of the program to the outermost one of the program.
    pub of_program: &'a [Symbol],
}

/// Sorts out the frames of a stack, innermost first.
pub fn trim(symbols: &[Symbol]) -> Trimmed<'_> {
    let without_runtime = after_runtime(symbols);
    let inner = without_runtime.iter().position(|symbol| !symbol_name::is_std(symbol));
    let (of_std, shown) = without_runtime.split_at(inner.unwrap_or(0));
    let outer = shown.iter().rposition(|symbol| !symbol_name::is_std(symbol)).map_or(shown.len(), |last| last + 1);
    Trimmed { of_std, of_program: &shown[..outer] }
}

/// The frames beyond those of the tracing allocator.
pub fn after_runtime(symbols: &[Symbol]) -> &[Symbol] {
    let inner = symbols.iter().take_while(|symbol| symbol_name::is_runtime(symbol) || symbol_name::is_std(symbol));
    let last = inner.enumerate().filter(|(_, symbol)| symbol_name::is_runtime(symbol)).last();
    &symbols[last.map_or(0, |(index, _)| index + 1)..]
}
