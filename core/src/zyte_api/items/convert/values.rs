//! Values that are more than renamed.

use super::{
    super::{
        fields::{Names, PROBABILITY},
        members::{Members, Path, Value},
    },
    Converter, Direction,
};
use crate::json::{Cursor, InvalidJson, Kind, Span};

impl<'a> Converter<'a> {
    pub(super) fn either(
        &mut self,
        ours: &'static str,
        theirs: [&'static str; 2],
        members: &mut Members<'a>,
    ) {
        let [first, _] = theirs;
        let said = |name: &&str| members.get(name).is_some_and(|value| self.is_word(value));
        let theirs = match self.direction {
            Direction::FromTheirs => theirs.into_iter().find(said).unwrap_or(first),
            Direction::ToTheirs => first,
        };
        self.whole(Names { ours, theirs }, members, |_| true);
    }

    pub(super) fn read_probability(
        &mut self,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let before = self.out.len();
        self.read_inside("metadata", PROBABILITY, members, path)?;
        if self.out.len() == before {
            self.member("probability");
            self.out.push_str("1.0");
        }
        Ok(())
    }

    /// A probability of 1 is what it is read as where there is none.
    pub(super) fn leave_out_certainty(&self, members: &mut Members<'a>) {
        let is_one = |raw: &str| {
            raw.strip_prefix('1').is_some_and(|rest| {
                rest.is_empty()
                    || rest
                        .strip_prefix('.')
                        .is_some_and(|zeros| zeros.trim_matches('0').is_empty())
            })
        };
        if members.get("probability").is_some_and(|value| is_one(self.raw(value.span))) {
            members.take("probability");
        }
    }

    pub(super) fn url_or_items(&mut self, members: &mut Members<'a>) {
        const URL: Names = Names { ours: "url", theirs: "url" };
        let missing = members.get("url").is_none();
        match self.url {
            Some(url) if missing && self.direction == Direction::FromTheirs => {
                self.member("url");
                self.push(url.span);
            }
            _ => self.whole(URL, members, |_| true),
        }
    }

    pub(super) fn gtin_type(&mut self, members: &mut Members<'a>) {
        const TYPE: Names = Names { ours: "type", theirs: "type" };
        let (source, target) = self.names(Names { ours: "ean13", theirs: "gtin13" });
        if members.get("type").is_some_and(|value| self.equals(value, source)) {
            members.take("type");
            self.member("type");
            self.out.push('"');
            self.out.push_str(target);
            self.out.push('"');
        } else {
            self.whole(TYPE, members, |_| true);
        }
    }

    fn equals(&self, value: Value, text: &str) -> bool {
        self.start.within(value.span).string().is_ok_and(|string| string.equals(text))
    }

    pub(super) fn number(&mut self, names: Names, members: &mut Members<'a>) {
        let (source, target) = self.names(names);
        let Some(value) = members.get(source) else { return };
        match (self.direction, value.kind) {
            (Direction::FromTheirs, Kind::String) => {
                let raw = self.raw(value.span);
                let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
                if is_number(inner) {
                    members.take(source);
                    self.member(target);
                    self.out.push_str(inner);
                }
            }
            (Direction::ToTheirs, Kind::Number) => {
                members.take(source);
                self.member(target);
                self.out.push('"');
                self.push(value.span);
                self.out.push('"');
            }
            _ => self.whole(names, members, |value| !value.is_container()),
        }
    }
}

/// Whether that is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    let Ok(mut cursor) = Cursor::new(text.as_bytes()) else { return false };
    cursor.kind() == Ok(Kind::Number) && cursor.skip() == Ok(Span { start: 0, end: text.len() })
}
