//! What there is where there are no instructions for many bytes at once: the reference itself.

use core::str::Utf8Error;

pub(super) use super::scan::{container, string};

pub(super) fn to_str(text: &[u8]) -> Result<&str, Utf8Error> {
    str::from_utf8(text)
}

/// No ways beside the reference.
#[cfg(test)]
pub(super) fn ways() -> alloc::vec::Vec<Way> {
    alloc::vec::Vec::new()
}

#[cfg(test)]
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) container: fn(&[u8], usize, usize) -> Option<usize>,
    pub(super) plain: fn(&[u8], usize) -> usize,
    pub(super) is_utf8: fn(&[u8]) -> bool,
}
