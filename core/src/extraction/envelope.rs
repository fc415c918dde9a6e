//! Where the parts of a result stand.

use alloc::{borrow::Cow, vec::Vec};

use super::PageType;
use crate::json::{Cursor, InvalidJson, Kind, Span, Text};

/// Where the parts of one result stand in the bytes of its answer (Automatic Extraction API docs,
/// Responses). A span of a string includes its quotes. A part that is not of the documented JSON
/// type is left out here, but for the item's and the error's sake, and stays in the whole result.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// The whole result.
    pub result: Span,
    /// The item: the object under the name of the page type, if there is no error.
    pub item: Option<Span>,
    /// The `error` member, unless it is null; a string, by the documentation.
    pub error: Option<Span>,
    /// The `query` member, an object.
    pub query: Option<Span>,
    /// `query.id`, a string.
    pub id: Option<Span>,
    /// `query.domain`, a string.
    pub domain: Option<Span>,
    /// `query.userQuery.url`, a string.
    pub url: Option<Span>,
    /// `query.userQuery.pageType`, a string.
    pub page_type: Option<Span>,
    /// `query.userQuery.meta`, a string.
    pub meta: Option<Span>,
    /// The `webPage` member.
    pub web_page: Option<Span>,
    /// The `html` member, a string.
    pub html: Option<Span>,
    /// The `algorithmVersion` member, a string.
    pub algorithm_version: Option<Span>,
    /// The members under the names of page types.
    pub(crate) items: Vec<(PageType, Kind, Span)>,
}

/// What a result repeats of its query. A part that is not there, or null, is `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo<'a> {
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) page_type: Option<Cow<'a, str>>,
    pub(super) meta: Option<Cow<'a, str>>,
    /// A part is there, but no string: no query can have sent it.
    pub(super) alien: bool,
}

impl Envelope {
    /// Reads the result at the cursor, which must be an object. Items are passed, not decoded.
    pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<(Self, Echo<'a>), InvalidJson> {
        let (mut envelope, mut echo) = (Self::default(), Echo::default());
        cursor.kind()?;
        envelope.result.start = cursor.position();
        cursor.enter_object()?;
        while let Some(name) = cursor.next_member()? {
            envelope.read_member(&name, cursor, &mut echo)?;
        }
        envelope.result.end = cursor.position();
        if echo.page_type.is_none()
            && let [(page_type, ..)] = envelope.items.as_slice()
        {
            echo.page_type = Some(Cow::Borrowed(page_type.as_str()));
        }
        Ok((envelope, echo))
    }

    fn read_member<'a>(
        &mut self,
        name: &Text<'a>,
        cursor: &mut Cursor<'a>,
        echo: &mut Echo<'a>,
    ) -> Result<(), InvalidJson> {
        let kind = cursor.kind()?;
        match (name.decode().as_ref(), kind) {
            ("query", Kind::Object) => return self.read_query(cursor, echo),
            ("error", kind) => {
                let span = cursor.skip()?;
                self.error = (kind != Kind::Null).then_some(span);
            }
            ("webPage", _) => self.web_page = Some(cursor.skip()?),
            ("html", Kind::String) => self.html = Some(cursor.skip()?),
            ("algorithmVersion", Kind::String) => self.algorithm_version = Some(cursor.skip()?),
            (name, kind) => {
                if let Some(page_type) = PageType::from_name(name) {
                    let span = cursor.skip()?;
                    self.items.retain(|(known, ..)| *known != page_type);
                    self.items.push((page_type, kind, span));
                }
            }
        }
        Ok(())
    }

    fn read_query<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        echo: &mut Echo<'a>,
    ) -> Result<(), InvalidJson> {
        // Of two members of one name the later counts, as everywhere in JSON.
        (self.id, self.domain) = (None, None);
        self.forget_user_query(echo);
        let start = cursor.position();
        cursor.enter_object()?;
        while let Some(name) = cursor.next_member()? {
            let is_object = cursor.kind()? == Kind::Object;
            if name.equals("id") {
                self.id = string(cursor)?.map(|text| text.span());
            } else if name.equals("domain") {
                self.domain = string(cursor)?.map(|text| text.span());
            } else if name.equals("userQuery") && is_object {
                self.forget_user_query(echo);
                self.read_user_query(cursor, echo)?;
            }
        }
        self.query = Some(Span { start, end: cursor.position() });
        Ok(())
    }

    fn forget_user_query(&mut self, echo: &mut Echo<'_>) {
        (self.url, self.page_type, self.meta) = (None, None, None);
        *echo = Echo::default();
    }

    fn read_user_query<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        echo: &mut Echo<'a>,
    ) -> Result<(), InvalidJson> {
        cursor.enter_object()?;
        while let Some(name) = cursor.next_member()? {
            let (span, part) = match name.decode().as_ref() {
                "url" => (&mut self.url, &mut echo.url),
                "pageType" => (&mut self.page_type, &mut echo.page_type),
                "meta" => (&mut self.meta, &mut echo.meta),
                _ => continue,
            };
            let is_null = cursor.kind()? == Kind::Null;
            let text = string(cursor)?;
            echo.alien |= text.is_none() && !is_null;
            *span = text.as_ref().map(Text::span);
            *part = text.as_ref().map(Text::decode);
        }
        Ok(())
    }
}

/// The string that comes next; any other value is left to be passed.
fn string<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Text<'a>>, InvalidJson> {
    if cursor.kind()? == Kind::String { cursor.string().map(Some) } else { Ok(None) }
}
