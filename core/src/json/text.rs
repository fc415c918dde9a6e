use alloc::{borrow::Cow, string::String};

/// Where something stands in the text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a range has no third part")]
pub struct Span {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
}

/// A string of a JSON text, as it is written there. Its escapes are known to be well-formed.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What stands between the quotes.
    raw: &'a str,
    /// Offset of the opening quote.
    start: usize,
    has_escapes: bool,
}

impl<'a> Text<'a> {
    pub(super) const fn new(raw: &'a str, start: usize, has_escapes: bool) -> Self {
        Self { raw, start, has_escapes }
    }

    /// Where the string stands, quotes included.
    pub const fn span(&self) -> Span {
        Span { start: self.start, end: self.start + self.raw.len() + 2 }
    }

    /// Whether the string is written with escapes. Without them, what stands between the quotes is
    /// the string itself.
    pub const fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// The string itself. RFC 8259, section 8.2, leaves open what `\ud800` without its partner
    /// means; here it is U+FFFD, because a Rust string cannot hold it.
    pub fn decode(&self) -> Cow<'a, str> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw);
        }
        let mut decoded = String::with_capacity(self.raw.len());
        for_each_piece(self.raw, |piece| {
            decoded.push_str(piece);
            true
        });
        Cow::Owned(decoded)
    }

    /// Whether the string, decoded, is `other`. Names may be written with escapes, so this is how
    /// to compare them; it takes no memory.
    pub fn equals(&self, other: &str) -> bool {
        if !self.has_escapes {
            return self.raw == other;
        }
        let mut rest = other;
        let all_equal = for_each_piece(self.raw, |piece| match rest.strip_prefix(piece) {
            Some(behind) => {
                rest = behind;
                true
            }
            None => false,
        });
        all_equal && rest.is_empty()
    }
}

/// Decodes piece by piece until `take` answers `false`. Says whether all was taken.
fn for_each_piece(raw: &str, mut take: impl FnMut(&str) -> bool) -> bool {
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        if !take(plain) {
            return false;
        }
        let (decoded, behind) = decode_escape(escape);
        if !take(decoded.encode_utf8(&mut [0; 4])) {
            return false;
        }
        rest = behind;
    }
    take(rest)
}

/// The character that an escape stands for, given what follows the backslash, and what is behind.
fn decode_escape(escape: &str) -> (char, &str) {
    let mut chars = escape.chars();
    let decoded = match chars.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return decode_unicode(chars.as_str()),
        Some(other) => other,
        None => char::REPLACEMENT_CHARACTER,
    };
    (decoded, chars.as_str())
}

/// Four hex digits, and the second half of a surrogate pair if it follows.
fn decode_unicode(digits: &str) -> (char, &str) {
    let (unit, behind) = code_unit(digits);
    if (0xD800..0xDC00).contains(&unit)
        && let Some(digits) = behind.strip_prefix("\\u")
    {
        let (low, behind_pair) = code_unit(digits);
        if (0xDC00..0xE000).contains(&low) {
            let code_point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return (to_char(code_point), behind_pair);
        }
    }
    (to_char(unit), behind)
}

fn code_unit(digits: &str) -> (u32, &str) {
    let (digits, behind) = digits.split_at_checked(4).unwrap_or((digits, ""));
    (u32::from_str_radix(digits, 16).unwrap_or(0xFFFD), behind)
}

fn to_char(code_point: u32) -> char {
    char::from_u32(code_point).unwrap_or(char::REPLACEMENT_CHARACTER)
}
