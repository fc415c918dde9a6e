//! The members of an object that is converted, the place where it stands, and what is left over.

use alloc::{string::String, vec::Vec};
use core::fmt::Write as _;

use super::Unmapped;
use crate::json::{Cursor, InvalidJson, Kind, Span, Text};

/// A value of the item.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

impl Value {
    /// Passes the value that comes next.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, InvalidJson> {
        Ok(Self { kind: cursor.kind()?, span: cursor.skip()? })
    }

    pub(super) const fn is_container(self) -> bool {
        matches!(self.kind, Kind::Array | Kind::Object)
    }

    /// Whether it says something in one word.
    pub(super) const fn is_said(self) -> bool {
        !self.is_container() && !matches!(self.kind, Kind::Null)
    }
}

struct Member<'a> {
    name: Text<'a>,
    value: Value,
    taken: bool,
}

/// An object's members, and which of them the conversion has taken.
pub(super) struct Members<'a>(Vec<Member<'a>>);

impl<'a> Members<'a> {
    /// The members of the object that comes next.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, InvalidJson> {
        let mut members = Vec::new();
        cursor.enter_object()?;
        while let Some(name) = cursor.next_member()? {
            members.push(Member { name, value: Value::read(cursor)?, taken: false });
        }
        Ok(Self(members))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of that name; of several with one name the last, as parsers have it.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        let member = self.0.iter().rev().find(|member| member.name.equals(name))?;
        Some(member.value)
    }

    /// Notes that the value of that name has its place on the other side.
    pub(super) fn take(&mut self, name: &str) {
        if let Some(member) = self.0.iter_mut().rev().find(|member| member.name.equals(name)) {
            member.taken = true;
        }
    }

    /// What was not taken.
    pub(super) fn left(&self) -> impl Iterator<Item = (&Text<'a>, Value)> {
        self.0.iter().filter(|member| !member.taken).map(|member| (&member.name, member.value))
    }
}

/// Where an object stands in the item.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Item,
    Name(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    pub(super) const ITEM: Self = Self { parent: None, step: Step::Item };

    pub(super) const fn name(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// The JSON pointer to it (RFC 6901).
    fn write(&self, out: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(out);
        }
        match self.step {
            Step::Item => {}
            Step::Index(index) => {
                let _ = write!(out, "/{index}");
            }
            Step::Name(name) => {
                out.push('/');
                for char in name.chars() {
                    match char {
                        '~' => out.push_str("~0"),
                        '/' => out.push_str("~1"),
                        _ => out.push(char),
                    }
                }
            }
        }
    }
}

/// What has no place on the other side, as it is found.
#[derive(Default)]
pub(super) struct Leftovers(Vec<(usize, Unmapped)>);

impl Leftovers {
    pub(super) fn push(&mut self, text: &str, path: &Path<'_>, span: Span) {
        let mut pointer = String::new();
        path.write(&mut pointer);
        let value = text.get(span.start..span.end).unwrap_or_default().into();
        self.0.push((span.start, Unmapped { path: pointer, value }));
    }

    /// All of it, in the order of the item.
    pub(super) fn sorted(mut self) -> Vec<Unmapped> {
        self.0.sort_by_key(|(start, _)| *start);
        self.0.into_iter().map(|(_, unmapped)| unmapped).collect()
    }
}
