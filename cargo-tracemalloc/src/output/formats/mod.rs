//! The formats of CI services and code review: renderings of the findings, for which a run fails.

mod finding;
pub mod github;
pub mod gitlab;
pub mod junit;
pub mod markdown;
pub mod sarif;

pub use finding::{Finding, Rule, findings};
