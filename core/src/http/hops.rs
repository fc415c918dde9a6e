//! What a proxy does not pass on.

use alloc::vec::Vec;

use super::Headers;

/// Headers that are about one connection only (RFC 9110, section 7.6.1), and those for a proxy.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Headers {
    /// The headers that are not about one connection only, by the standard or by their own
    /// `Connection`.
    pub(crate) fn end_to_end(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.get_all("Connection").flat_map(|value| value.split(','));
        let named: Vec<&str> = options.map(str::trim).collect();
        self.iter().filter(move |(name, _)| {
            !HOP_BY_HOP.iter().chain(&named).any(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

/// Whether a name starts with a prefix, case aside.
pub(crate) fn starts_with_ignoring_case(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
