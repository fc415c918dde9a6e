//! The grammar of RFC 8259, byte by byte: the reference for every faster path, and the one that
//! says where a fault is.

use super::{InvalidJson, MAX_DEPTH};

/// The fault of finding `byte` at `at`: a byte that cannot stand there, or the end of the text.
pub(super) const fn unexpected(byte: Option<u8>, at: usize) -> InvalidJson {
    match byte {
        Some(_) => InvalidJson::Syntax { position: at },
        None => InvalidJson::Truncated { position: at },
    }
}

/// The offset of the first byte from `at` on that is not white space.
#[inline]
pub(super) fn white_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Passes `wanted`.
#[inline]
pub(super) fn byte(text: &[u8], at: usize, wanted: u8) -> Result<usize, InvalidJson> {
    match text.get(at) {
        Some(&byte) if byte == wanted => Ok(at + 1),
        other => Err(unexpected(other.copied(), at)),
    }
}

/// Passes the string whose opening quote is at `at`. Says where it ends and whether it has escapes.
pub(super) fn string(text: &[u8], at: usize) -> Result<(usize, bool), InvalidJson> {
    string_by(text, at, plain)
}

/// As [`string`], with what finds the next byte that is not [`plain`].
#[inline]
pub(super) fn string_by(
    text: &[u8],
    at: usize,
    plain: impl Fn(&[u8], usize) -> usize,
) -> Result<(usize, bool), InvalidJson> {
    let mut at = byte(text, at, b'"')?;
    let mut has_escapes = false;
    loop {
        at = plain(text, at);
        match text.get(at) {
            Some(b'"') => return Ok((at + 1, has_escapes)),
            Some(b'\\') => {
                has_escapes = true;
                at = escape(text, at)?;
            }
            other => return Err(unexpected(other.copied(), at)),
        }
    }
}

/// The offset of the first quote, backslash or control character from `at` on, or the length of
/// the text. Eight bytes are looked at together: subtracting from each byte of a word borrows from
/// the next one only where the byte is a find, so the lowest find is always true.
pub(super) fn plain(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*bytes);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero(word ^ (ONES * 0x22));
        let backslash = zero(word ^ (ONES * 0x5c));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(0x20..=0x21 | 0x23..=0x5b | 0x5d..) = text.get(at) {
        at += 1;
    }
    at
}

/// Passes the escape whose backslash is at `at`.
pub(super) fn escape(text: &[u8], at: usize) -> Result<usize, InvalidJson> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            for digit in at + 2..at + 6 {
                match text.get(digit) {
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    other => return Err(unexpected(other.copied(), digit)),
                }
            }
            Ok(at + 6)
        }
        other => Err(unexpected(other.copied(), at + 1)),
    }
}

/// Passes at least one digit.
fn digits(text: &[u8], at: usize) -> Result<usize, InvalidJson> {
    let mut end = at;
    while let Some(b'0'..=b'9') = text.get(end) {
        end += 1;
    }
    if end == at { Err(unexpected(text.get(at).copied(), at)) } else { Ok(end) }
}

fn number(text: &[u8], mut at: usize) -> Result<usize, InvalidJson> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(text, at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = text.get(at) {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Ok(at)
}

/// Passes a number, `true`, `false` or `null`.
pub(super) fn scalar(text: &[u8], mut at: usize) -> Result<usize, InvalidJson> {
    let literal: &[u8] = match text.get(at) {
        Some(b't') => b"true",
        Some(b'f') => b"false",
        Some(b'n') => b"null",
        Some(b'-' | b'0'..=b'9') => return number(text, at),
        other => return Err(unexpected(other.copied(), at)),
    };
    for &wanted in literal {
        at = byte(text, at, wanted)?;
    }
    Ok(at)
}

/// Passes the container whose bracket is at `at`, with `depth` containers open around it.
pub(super) fn container(text: &[u8], mut at: usize, depth: usize) -> Result<usize, InvalidJson> {
    let mut open = Stack::new(depth);
    'value: loop {
        at = white_space(text, at);
        match text.get(at) {
            Some(b'{') => {
                open.push(true, at)?;
                at = white_space(text, at + 1);
                if text.get(at) == Some(&b'}') {
                    open.pop();
                    at += 1;
                } else {
                    at = key(text, at)?;
                    continue 'value;
                }
            }
            Some(b'[') => {
                open.push(false, at)?;
                at = white_space(text, at + 1);
                if text.get(at) == Some(&b']') {
                    open.pop();
                    at += 1;
                } else {
                    continue 'value;
                }
            }
            Some(b'"') => at = string(text, at)?.0,
            _ => at = scalar(text, at)?,
        }
        while open.depth() > depth {
            at = white_space(text, at);
            match (text.get(at), open.in_object()) {
                (Some(b','), false) => {
                    at += 1;
                    continue 'value;
                }
                (Some(b','), true) => {
                    at = key(text, white_space(text, at + 1))?;
                    continue 'value;
                }
                (Some(b']'), false) | (Some(b'}'), true) => {
                    open.pop();
                    at += 1;
                }
                (other, _) => return Err(unexpected(other.copied(), at)),
            }
        }
        return Ok(at);
    }
}

/// Passes a member's name and the colon.
fn key(text: &[u8], at: usize) -> Result<usize, InvalidJson> {
    let (end, _) = string(text, at)?;
    byte(text, white_space(text, end), b':')
}

/// Which of the open containers are objects: one bit a level.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    objects: u128,
    depth: usize,
}

impl Stack {
    pub(super) const fn new(depth: usize) -> Self {
        Self { objects: 0, depth }
    }

    /// Opens the container whose bracket is at `at`.
    pub(super) const fn push(&mut self, object: bool, at: usize) -> Result<(), InvalidJson> {
        if self.depth + 1 >= MAX_DEPTH {
            return Err(InvalidJson::TooDeep { position: at });
        }
        self.depth += 1;
        self.objects = self.objects << 1 | object as u128;
        Ok(())
    }

    pub(super) const fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
    }

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) const fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    pub(super) const fn in_array(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 0
    }
}
