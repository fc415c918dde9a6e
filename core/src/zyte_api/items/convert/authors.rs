//! Authors: one and a list of names here, objects there.

use alloc::vec::Vec;

use super::{
    super::members::{Members, Path, Value},
    Converter,
};
use crate::json::{InvalidJson, Kind};

impl<'a> Converter<'a> {
    pub(super) fn read_authors(
        &mut self,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let Some(authors) = self.elements("authors", members)? else { return Ok(()) };
        members.take("authors");
        let nobody = authors.is_empty();
        let path = path.name("authors");
        let mut author = None;
        let mut list = Vec::new();
        for (index, value) in authors.into_iter().enumerate() {
            let path = path.index(index);
            if value.kind != Kind::Object {
                self.lost.push(self.text, &path, value.span);
                continue;
            }
            let mut inner = self.members(value.span)?;
            if let Some(name) = inner.get("name").filter(|name| self.is_word(*name)) {
                inner.take("name");
                list.push(name.span);
            }
            if author.is_none()
                && let Some(raw) = inner.get("nameRaw").filter(|raw| self.is_word(*raw))
            {
                inner.take("nameRaw");
                author = Some(raw.span);
            }
            if inner.is_empty() {
                self.lost.push(self.text, &path, value.span);
            }
            self.leftovers(&inner, &path);
        }
        if let Some(author) = author {
            self.member("author");
            self.push(author);
        }
        if nobody || !list.is_empty() {
            self.member("authorsList");
            self.out.push('[');
            for name in list {
                self.element();
                self.push(name);
            }
            self.out.push(']');
        }
        Ok(())
    }

    pub(super) fn write_authors(
        &mut self,
        members: &mut Members<'a>,
        path: &Path<'_>,
    ) -> Result<(), InvalidJson> {
        let mut author = members.get("author").filter(|author| self.is_word(*author));
        if author.is_some() {
            members.take("author");
        }
        let list = self.elements("authorsList", members)?;
        if list.is_some() {
            members.take("authorsList");
        }
        let empty = list.as_ref().is_some_and(Vec::is_empty);
        let mark = self.out.len();
        self.member("authors");
        self.out.push('[');
        let nobody = self.out.len();
        let path = path.name("authorsList");
        for (index, name) in list.unwrap_or_default().into_iter().enumerate() {
            if self.is_word(name) {
                self.author(Some(name), author.take());
            } else {
                self.lost.push(self.text, &path.index(index), name.span);
            }
        }
        if author.is_some() {
            self.author(None, author);
        }
        if self.out.len() == nobody && !empty {
            self.out.truncate(mark);
        } else {
            self.out.push(']');
        }
        Ok(())
    }

    fn author(&mut self, name: Option<Value>, raw: Option<Value>) {
        self.element();
        self.out.push('{');
        for (member, value) in [("name", name), ("nameRaw", raw)] {
            if let Some(value) = value {
                self.member(member);
                self.push(value.span);
            }
        }
        self.out.push('}');
    }
}
