use super::{
    InvalidJson, Span, Text,
    scan::{self, Stack},
    simd,
};

/// What sort of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8259 has no other values")]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The name of the sort, as JSON Schema spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Reads a JSON text forward, once, without memory of its own.
///
/// The caller walks: [`enter_array`](Self::enter_array) and [`next_element`](Self::next_element),
/// [`enter_object`](Self::enter_object) and [`next_member`](Self::next_member) go into a container;
/// [`skip`](Self::skip) and [`string`](Self::string) pass a value. A value that the caller leaves
/// unread is skipped by the next `next_element` or `next_member`. A call that does not fit the
/// place, such as reading a string where a number comes, is [`InvalidJson::Syntax`] and leaves the
/// cursor where it is; after any other error the cursor is of no further use.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    open: Stack,
    place: Place,
}

/// What stands at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A value.
    Value,
    /// The first element or member, or the closing bracket.
    First,
    /// What comes after a value: a comma, a closing bracket, the end of the text.
    After,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of the text, which must be UTF-8 from end to end. A byte order mark is
    /// a syntax error (RFC 8259, section 8.1, lets a reader refuse it). A text that ends inside a
    /// character is truncated.
    pub fn new(text: &'a [u8]) -> Result<Self, InvalidJson> {
        match simd::to_str(text) {
            Ok(text) => Ok(Self { text, at: 0, open: Stack::new(0), place: Place::Value }),
            Err(error) if error.error_len().is_none() => {
                Err(InvalidJson::Truncated { position: text.len() })
            }
            Err(error) => Err(InvalidJson::Utf8 { position: error.valid_up_to() }),
        }
    }

    /// The whole text.
    pub(crate) const fn text(&self) -> &'a str {
        self.text
    }

    /// A cursor at the start of a value that this one, or a copy of it, has passed.
    pub(crate) fn within(&self, value: Span) -> Self {
        let text = self.text.get(..value.end).unwrap_or_default();
        Self { text, at: value.start, open: Stack::new(0), place: Place::Value }
    }

    /// Offset of what comes next: after [`kind`](Self::kind) the first byte of a value, after
    /// [`next_member`](Self::next_member) or [`next_element`](Self::next_element) has come to an
    /// end the first byte behind the container.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// What sort of value comes next, judged by its first byte.
    pub fn kind(&mut self) -> Result<Kind, InvalidJson> {
        match self.value_start()? {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            other => Err(self.unexpected(other)),
        }
    }

    /// Passes the whole value that comes next and says where it stands.
    pub fn skip(&mut self) -> Result<Span, InvalidJson> {
        self.skip_inside(0)
    }

    /// The same for a value that will stand that many levels deeper in another text.
    pub(crate) fn skip_inside(&mut self, levels: usize) -> Result<Span, InvalidJson> {
        let first = self.value_start()?;
        let (text, start) = (self.text.as_bytes(), self.at);
        let end = match first {
            Some(b'{' | b'[') => simd::container(text, start, self.open.depth() + levels)?,
            Some(b'"') => simd::string(text, start)?.0,
            _ => scan::scalar(text, start)?,
        };
        self.at = end;
        self.place = Place::After;
        Ok(Span { start, end })
    }

    /// Passes the string that comes next.
    pub fn string(&mut self) -> Result<Text<'a>, InvalidJson> {
        self.value_start()?;
        let text = self.text_at(self.at)?;
        self.place = Place::After;
        Ok(text)
    }

    /// Goes into the array that comes next.
    pub fn enter_array(&mut self) -> Result<(), InvalidJson> {
        self.enter(b'[')
    }

    /// Goes to the next element of the array that was entered last; it is `false` when there is
    /// none, and the cursor is then behind the array.
    pub fn next_element(&mut self) -> Result<bool, InvalidJson> {
        if !self.open.in_array() {
            return Err(InvalidJson::Syntax { position: self.at });
        }
        let place = self.pass_unread()?;
        match self.peek() {
            Some(b']') => {
                self.leave();
                return Ok(false);
            }
            Some(b',') if place == Place::After => self.at += 1,
            other if place == Place::After => return Err(self.unexpected(other)),
            _ => {}
        }
        self.place = Place::Value;
        Ok(true)
    }

    /// Goes into the object that comes next.
    pub fn enter_object(&mut self) -> Result<(), InvalidJson> {
        self.enter(b'{')
    }

    /// Goes to the value of the next member of the object that was entered last, and says the
    /// member's name; it is `None` when there is none, and the cursor is then behind the object.
    pub fn next_member(&mut self) -> Result<Option<Text<'a>>, InvalidJson> {
        if !self.open.in_object() {
            return Err(InvalidJson::Syntax { position: self.at });
        }
        let place = self.pass_unread()?;
        let start = match self.peek() {
            Some(b'}') => {
                self.leave();
                return Ok(None);
            }
            Some(b',') if place == Place::After => {
                scan::white_space(self.text.as_bytes(), self.at + 1)
            }
            other if place == Place::After => return Err(self.unexpected(other)),
            _ => self.at,
        };
        let name = self.text_at(start)?;
        let bytes = self.text.as_bytes();
        self.at = scan::byte(bytes, scan::white_space(bytes, self.at), b':')?;
        self.place = Place::Value;
        Ok(Some(name))
    }

    /// Checks that the value is complete and only white space is left.
    pub fn end(&mut self) -> Result<(), InvalidJson> {
        let next = self.peek();
        if self.place == Place::After && self.open.depth() == 0 && next.is_none() {
            return Ok(());
        }
        Err(self.unexpected(next))
    }

    /// The byte that comes after white space.
    fn peek(&mut self) -> Option<u8> {
        self.at = scan::white_space(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&self, byte: Option<u8>) -> InvalidJson {
        scan::unexpected(byte, self.at)
    }

    /// The first byte of the value that comes next.
    fn value_start(&mut self) -> Result<Option<u8>, InvalidJson> {
        if self.place != Place::Value {
            return Err(InvalidJson::Syntax { position: self.at });
        }
        Ok(self.peek())
    }

    fn text_at(&mut self, start: usize) -> Result<Text<'a>, InvalidJson> {
        let (end, has_escapes) = simd::string(self.text.as_bytes(), start)?;
        self.at = end;
        let raw = self.text.get(start + 1..end - 1).unwrap_or_default();
        Ok(Text::new(raw, start, has_escapes))
    }

    fn enter(&mut self, bracket: u8) -> Result<(), InvalidJson> {
        match self.value_start()? {
            Some(byte) if byte == bracket => {
                self.open.push(bracket == b'{', self.at)?;
                self.at += 1;
                self.place = Place::First;
                Ok(())
            }
            other => Err(self.unexpected(other)),
        }
    }

    fn leave(&mut self) {
        self.open.pop();
        self.at += 1;
        self.place = Place::After;
    }

    /// Skips the value that the caller left unread.
    fn pass_unread(&mut self) -> Result<Place, InvalidJson> {
        if self.place == Place::Value {
            self.skip()?;
        }
        Ok(self.place)
    }
}
