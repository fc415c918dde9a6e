//! Stands in for the crate `idna` under `url`: what `url` uses of it, by asking the JavaScript host.
//!
//! The tables of international domain names would be a third of the module, and every host has them
//! already, behind its `URL`, which follows the same standard (WHATWG URL, "domain to ASCII").

#![no_std]

extern crate alloc;

use alloc::{borrow::Cow, string::String};
use core::{fmt, str};

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "border")]
extern "C" {
    /// The ASCII form of a domain without forbidden characters; nothing if it has none.
    #[wasm_bindgen(js_name = domainToAscii)]
    fn domain_to_ascii(domain: &str) -> Option<String>;
}

/// A name that is no domain.
#[derive(Debug, Default)]
pub struct Errors(());

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a domain")
    }
}

impl core::error::Error for Errors {}

/// The ASCII characters that no domain may hold.
#[derive(Clone, Copy, Debug)]
pub struct AsciiDenyList(&'static [u8]);

impl AsciiDenyList {
    /// The forbidden domain code points of the URL standard, besides control characters and space.
    pub const URL: Self = Self(b"%#/:<>?@[\\]^|");

    fn denies(self, byte: u8) -> bool {
        byte <= b' ' || byte == 0x7f || self.0.contains(&byte)
    }
}

/// "Domain to ASCII" of the URL standard.
pub fn domain_to_ascii_from_cow(
    domain: Cow<'_, [u8]>,
    denied: AsciiDenyList,
) -> Result<Cow<'_, str>, Errors> {
    if domain.iter().any(|byte| denied.denies(*byte)) {
        return Err(Errors(()));
    }
    let domain = match domain {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    let domain = domain.ok_or(Errors(()))?;
    if !domain.is_ascii() || domain.split('.').any(is_encoded) {
        return domain_to_ascii(&domain).map(Cow::Owned).ok_or(Errors(()));
    }
    if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Cow::Owned(domain.to_ascii_lowercase()));
    }
    Ok(domain)
}

fn is_encoded(label: &str) -> bool {
    label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"))
}

/// The form that is shown to people, which nothing here asks for: the name as it is, and that this
/// is not it.
pub fn domain_to_unicode(domain: &str) -> (String, Result<(), Errors>) {
    (domain.into(), Err(Errors(())))
}
