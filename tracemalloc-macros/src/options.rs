//! The options of a check: read, each at most once, and written out as the value that the runtime
//! takes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Path, Token, parse_quote};

use crate::option::NameValue;

/// What is allowed, as errors say it.
const NAMES: &str = "`max_growth`, `max_blocks`, `max_peak`, `include`, `exclude`, `frames`, `runs`, `key`, `skip`, `crate`";
/// What growth can be put together by: Python's key types.
const KEYS: [&str; 3] = ["traceback", "lineno", "filename"];
/// Not for people: says that `check` has made way for the other attributes of a function already.
const LAST: &str = "__last";

/// The options of one check; `None` and empty where they are not given.
pub struct Options {
    max_growth: Option<u64>,
    max_blocks: Option<u64>,
    max_peak: Option<u64>,
    include: Vec<LitStr>,
    exclude: Vec<LitStr>,
    frames: Option<u32>,
    runs: Option<u32>,
    key: Option<&'static str>,
    skip: Option<LitStr>,
    /// Where the runtime is found.
    pub runtime: Path,
    /// Whether this check has made way already.
    pub is_last: bool,
    given: Vec<TokenStream>,
}

impl Options {
    /// Reads `max_growth = "1 KiB", runs = 1`. All errors are found at once.
    pub fn parse(tokens: TokenStream) -> Result<Self, Error> {
        let mut options = Self::default();
        let given = Punctuated::<NameValue, Token![,]>::parse_terminated.parse2(tokens)?;
        options.take_all(given)?;
        Ok(options)
    }

    /// Takes in options one by one.
    pub fn take_all(&mut self, given: impl IntoIterator<Item = NameValue>) -> Result<(), Error> {
        let mut errors: Option<Error> = None;
        let mut seen: Vec<String> = Vec::new();
        for option in given {
            let name = option.name.to_string();
            let taken = if seen.contains(&name) {
                Err(Error::new(option.name.span(), format!("`{name}` is given twice")))
            } else {
                self.take(&option)
            };
            if let Err(error) = taken {
                match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                }
            }
            seen.push(name);
        }
        errors.map_or(Ok(()), Err)
    }

    fn take(&mut self, option: &NameValue) -> Result<(), Error> {
        let name = option.name.to_string();
        match name.as_str() {
            "max_growth" => self.max_growth = Some(option.size()?),
            "max_blocks" => self.max_blocks = Some(option.blocks()?),
            "max_peak" => self.max_peak = Some(option.size()?),
            "include" => self.include = option.patterns()?,
            "exclude" => self.exclude = option.patterns()?,
            "frames" => self.frames = Some(option.frames()?),
            "runs" => self.runs = Some(option.runs()?),
            "key" => self.key = Some(option.word(&KEYS)?),
            "skip" => self.skip = Some(option.reason()?),
            "crate" => self.runtime = option.path()?,
            LAST => self.is_last = true,
            _ => {
                return Err(Error::new(
                    option.name.span(),
                    format!("unknown option `{name}`; allowed are {NAMES}"),
                ));
            }
        }
        self.given.push(option.tokens.clone());
        Ok(())
    }

    /// Whether a body that grew is not to run again.
    pub fn runs_once(&self) -> bool {
        self.runs == Some(1)
    }

    /// The attribute once more, to stand behind all others.
    pub fn attribute_at_the_end(&self) -> syn::Attribute {
        let (runtime, given) = (&self.runtime, &self.given);
        let last = proc_macro2::Ident::new(LAST, proc_macro2::Span::call_site());
        parse_quote!(#[#runtime::check(#(#given,)* #last = true)])
    }

    /// The value that the runtime takes; `name` is an expression.
    pub fn value(&self, name: &TokenStream) -> TokenStream {
        let runtime = &self.runtime;
        let option = |value: Option<TokenStream>| match value {
            Some(value) => quote!(::core::option::Option::Some(#value)),
            None => quote!(::core::option::Option::None),
        };
        let max_growth = option(self.max_growth.map(|bytes| quote!(#bytes)));
        let max_blocks = option(self.max_blocks.map(|blocks| quote!(#blocks)));
        let max_peak = option(self.max_peak.map(|bytes| quote!(#bytes)));
        let frames = option(self.frames.map(|frames| quote!(#frames)));
        let runs = option(self.runs.map(|runs| quote!(#runs)));
        let key = option(self.key.map(|key| quote!(#key)));
        let skip = option(self.skip.as_ref().map(|reason| quote!(#reason)));
        let (include, exclude) = (&self.include, &self.exclude);
        quote! {
            #runtime::__private::Check {
                name: #name,
                max_growth: #max_growth,
                max_blocks: #max_blocks,
                max_peak: #max_peak,
                include: &[#(#include),*],
                exclude: &[#(#exclude),*],
                frames: #frames,
                runs: #runs,
                key: #key,
                skip: #skip,
            }
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_growth: None,
            max_blocks: None,
            max_peak: None,
            include: Vec::new(),
            exclude: Vec::new(),
            frames: None,
            runs: None,
            key: None,
            skip: None,
            runtime: parse_quote!(::tracemalloc),
            is_last: false,
            given: Vec::new(),
        }
    }
}
