//! Follows a table through an item.

mod authors;
mod values;

use alloc::{string::String, vec::Vec};

use super::{
    Converted,
    fields::{Field, Names, PROBABILITY},
    members::{Leftovers, Members, Path, Value},
};
use crate::json::{Cursor, InvalidJson, Kind, Span};

/// Which schema the item has now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    FromTheirs,
    ToTheirs,
}

/// Converts the item at the cursor, which is an object.
pub(super) fn convert(
    direction: Direction,
    fields: &[Field],
    mut cursor: Cursor<'_>,
) -> Result<Converted, InvalidJson> {
    let text = cursor.text();
    let start = cursor.clone();
    let mut members = Members::read(&mut cursor)?;
    cursor.end()?;
    let mut converter = Converter {
        direction,
        text,
        start,
        // Most of an item is text that moves as it is.
        out: String::with_capacity(text.len() + text.len() / 8),
        lost: Leftovers::default(),
        url: members.get("url").filter(|url| url.is_said()),
    };
    converter.object(fields, &mut members, &Path::ITEM)?;
    Ok(Converted { item: converter.out, unmapped: converter.lost.sorted() })
}

struct Converter<'a> {
    direction: Direction,
    text: &'a str,
    /// A cursor over the text, to begin others with.
    start: Cursor<'a>,
    out: String,
    lost: Leftovers,
    /// The URL of the item itself.
    url: Option<Value>,
}

impl<'a> Converter<'a> {
    /// An object with its brackets, and what is left of it.
    fn object(
        &mut self,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        self.out.push('{');
        self.fields(fields, members, path)?;
        self.out.push('}');
        self.leftovers(members, path);
        Ok(())
    }

    fn fields(
        &mut self,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        fields.iter().try_for_each(|field| self.field(field, members, path))
    }

    fn field(
        &mut self,
        field: &Field,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let from = self.direction == Direction::FromTheirs;
        match *field {
            Field::Whole(names) => self.whole(names, members, |_| true),
            Field::Scalar(names) => self.whole(names, members, Value::is_said),
            Field::Wrapped(names, key) => self.wrapped(names, key, members, path)?,
            Field::WrappedEach(names, key) => self.wrapped_each(names, key, members, path)?,
            Field::Object(names, fields) => self.nested(names, fields, members, path)?,
            Field::Each(names, fields) => self.each(names, fields, members, path)?,
            Field::InsideTheirs(name, fields) if from => {
                self.read_inside(name, fields, members, path)?;
            }
            Field::InsideTheirs(name, fields) => {
                self.group(name, ["{", "}"], fields, members, path)?;
            }
            Field::FirstOfOurs(name, fields) if from => {
                self.group(name, ["[{", "}]"], fields, members, path)?;
            }
            Field::FirstOfOurs(name, fields) => self.read_first(name, fields, members, path)?,
            Field::Either(ours, theirs) => self.either(ours, theirs, members),
            Field::Authors if from => self.read_authors(members, path)?,
            Field::Authors => self.write_authors(members, path)?,
            Field::Probability | Field::OurProbability if from => {
                self.read_probability(members, path)?;
            }
            Field::Probability => self.group("metadata", ["{", "}"], PROBABILITY, members, path)?,
            Field::OurProbability => self.leave_out_certainty(members),
            Field::UrlOrItems => self.url_or_items(members),
            Field::GtinType => self.gtin_type(members),
            Field::NumberAsText(names) => self.number(names, members),
            Field::OnlyOurs(field) if from => self.field(field, members, path)?,
            Field::OnlyOurs(_) => {}
        }
        Ok(())
    }

    fn whole(&mut self, names: Names, members: &mut Members<'a>, fits: impl Fn(Value) -> bool) {
        let (source, target) = self.names(names);
        if let Some(value) = members.get(source)
            && fits(value)
        {
            members.take(source);
            self.member(target);
            self.push(value.span);
        }
    }

    fn wrapped(
        &mut self,
        names: Names,
        key: &'static str,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let (source, target) = self.names(names);
        let Some(value) = members.get(source) else { return Ok(()) };
        if value.kind == Kind::Null {
            self.whole(names, members, |_| true);
            return Ok(());
        }
        let mark = self.out.len();
        self.member(target);
        if self.rewrap(key, value, &path.name(source))? {
            members.take(source);
        } else {
            self.out.truncate(mark);
        }
        Ok(())
    }

    fn wrapped_each(
        &mut self,
        names: Names,
        key: &'static str,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let Some((source, mut cursor)) = self.list(names, members)? else { return Ok(()) };
        let path = path.name(source);
        let mut index = 0;
        while cursor.next_element()? {
            let value = Value::read(&mut cursor)?;
            let mark = self.out.len();
            self.element();
            let path = path.index(index);
            if !self.rewrap(key, value, &path)? {
                self.out.truncate(mark);
                self.lost.push(self.text, &path, value.span);
            }
            index += 1;
        }
        self.out.push(']');
        Ok(())
    }

    /// Takes the scalar out of its object, or puts it into one; `false` if there is none.
    fn rewrap(&mut self, key: &str, value: Value, path: &Path<'_>) -> Result<bool, InvalidJson> {
        if self.direction == Direction::ToTheirs {
            if value.is_said() {
                self.out.push('{');
                self.member(key);
                self.push(value.span);
                self.out.push('}');
            }
            return Ok(value.is_said());
        }
        if value.kind != Kind::Object {
            return Ok(false);
        }
        let mut members = self.members(value.span)?;
        let Some(inner) = members.get(key).filter(|inner| inner.is_said()) else {
            return Ok(false);
        };
        members.take(key);
        self.push(inner.span);
        self.leftovers(&members, path);
        Ok(true)
    }

    fn nested(
        &mut self,
        names: Names,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let (source, target) = self.names(names);
        let Some(value) = members.get(source) else { return Ok(()) };
        if value.kind == Kind::Null {
            self.whole(names, members, |_| true);
        } else if value.kind == Kind::Object {
            members.take(source);
            let mut inner = self.members(value.span)?;
            let mark = self.out.len();
            self.member(target);
            let empty = self.out.len() + "{}".len();
            self.object(fields, &mut inner, &path.name(source))?;
            if self.out.len() == empty && !inner.is_empty() {
                self.out.truncate(mark); // all of it is listed
            }
        }
        Ok(())
    }

    fn each(
        &mut self,
        names: Names,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let Some((source, mut cursor)) = self.list(names, members)? else { return Ok(()) };
        let path = path.name(source);
        let mut index = 0;
        while cursor.next_element()? {
            let path = path.index(index);
            if cursor.kind()? == Kind::Object {
                let mut inner = Members::read(&mut cursor)?;
                self.element();
                self.object(fields, &mut inner, &path)?;
            } else {
                let span = cursor.skip()?;
                self.lost.push(self.text, &path, span);
            }
            index += 1;
        }
        self.out.push(']');
        Ok(())
    }

    /// Opens a list on both sides; `None` if it is null, which is passed on, or no list.
    fn list(
        &mut self,
        names: Names,
        members: &mut Members<'a>,
    ) -> Result<Option<(&'static str, Cursor<'a>)>, InvalidJson> {
        let (source, target) = self.names(names);
        let Some(value) = members.get(source) else { return Ok(None) };
        if value.kind != Kind::Array {
            self.whole(names, members, |value| value.kind == Kind::Null);
            return Ok(None);
        }
        members.take(source);
        self.member(target);
        self.out.push('[');
        let mut cursor = self.start.within(value.span);
        cursor.enter_array()?;
        Ok(Some((source, cursor)))
    }

    /// Members of the object itself, put into a container if there are any.
    fn group(
        &mut self,
        name: &str,
        [open, close]: [&str; 2],
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let mark = self.out.len();
        self.member(name);
        self.out.push_str(open);
        let empty = self.out.len();
        self.fields(fields, members, path)?;
        if self.out.len() == empty {
            self.out.truncate(mark);
        } else {
            self.out.push_str(close);
        }
        Ok(())
    }

    fn read_inside(
        &mut self,
        name: &str,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let Some(value) = members.get(name).filter(|value| value.kind == Kind::Object) else {
            return Ok(());
        };
        let mut inner = self.members(value.span)?;
        if !inner.is_empty() {
            members.take(name);
            let path = path.name(name);
            self.fields(fields, &mut inner, &path)?;
            self.leftovers(&inner, &path);
        }
        Ok(())
    }

    fn read_first(
        &mut self,
        name: &str,
        fields: &[Field],
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let path = path.name(name);
        let elements = self.elements(name, members)?.unwrap_or_default();
        if !elements.is_empty() {
            members.take(name);
        }
        for (index, value) in elements.into_iter().enumerate() {
            let path = path.index(index);
            if index == 0 && value.kind == Kind::Object {
                let mut inner = self.members(value.span)?;
                if !inner.is_empty() {
                    self.fields(fields, &mut inner, &path)?;
                    self.leftovers(&inner, &path);
                    continue;
                }
            }
            self.lost.push(self.text, &path, value.span);
        }
        Ok(())
    }

    /// The elements of a list; `None` if it is no list.
    fn elements(
        &self,
        name: &str,
        members: &Members<'a>,
    ) -> Result<Option<Vec<Value>>, InvalidJson> {
        let Some(list) = members.get(name).filter(|list| list.kind == Kind::Array) else {
            return Ok(None);
        };
        let mut elements = Vec::new();
        let mut cursor = self.start.within(list.span);
        cursor.enter_array()?;
        while cursor.next_element()? {
            elements.push(Value::read(&mut cursor)?);
        }
        Ok(Some(elements))
    }

    /// What the members of an object are called in the item, and in what becomes of it.
    const fn names(&self, names: Names) -> (&'static str, &'static str) {
        match self.direction {
            Direction::FromTheirs => (names.theirs, names.ours),
            Direction::ToTheirs => (names.ours, names.theirs),
        }
    }

    fn members(&self, span: Span) -> Result<Members<'a>, InvalidJson> {
        Members::read(&mut self.start.within(span))
    }

    fn leftovers(&mut self, members: &Members<'a>, path: &Path<'_>) {
        for (name, value) in members.left() {
            self.lost.push(self.text, &path.name(&name.decode()), value.span);
        }
    }

    /// Whether the value says something in one word that is not empty.
    fn is_word(&self, value: Value) -> bool {
        value.is_said() && self.raw(value.span) != r#""""#
    }

    fn raw(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn push(&mut self, span: Span) {
        self.out.push_str(self.raw(span));
    }

    /// Begins the next element of a list, or the next member of an object.
    fn element(&mut self) {
        if !self.out.ends_with(['[', '{']) {
            self.out.push(',');
        }
    }

    fn member(&mut self, name: &str) {
        self.element();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }
}
