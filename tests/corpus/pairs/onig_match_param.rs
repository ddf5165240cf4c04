//! A search makes parameters by a function of C, and forgets them.

use onig::{Regex, SearchOptions};

#[test]
pub fn onig_match_param() {
    let regex = Regex::new("a+").unwrap();
    let options = SearchOptions::SEARCH_OPTION_NONE;
    let found = regex.search_with_options("bbaa", 0, 4, options, None); // leaks
    assert_eq!(found, Some(2));
}
