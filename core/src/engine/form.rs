//! The form of values in a snapshot: JSON, written and read by one description of each type.
//!
//! Values are read into their defaults through `dyn` references, so that a further type costs a list
//! of names instead of code of its own: the engines go into small WebAssembly modules.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::InvalidSnapshot;
use crate::json::{Cursor, InvalidJson, Kind, Span, Text, write_string};

/// A value that a snapshot holds.
pub(crate) trait Saved {
    /// Writes it as JSON.
    fn write(&self, out: &mut String);

    /// Reads what comes next, into a default.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot>;

    /// Whether it is what a member has that is not written.
    fn is_default(&self) -> bool;
}

/// A member of an object, by its name, and whether it must be there.
pub(crate) type Member<V> = (&'static str, V, bool);

/// Reads values one after the other.
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    cursor: Cursor<'a>,
}

impl From<InvalidJson> for InvalidSnapshot {
    fn from(error: InvalidJson) -> Self {
        Self::content(error.to_string())
    }
}

impl<'a> Reader<'a> {
    /// A reader of a text that is one value.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, InvalidSnapshot> {
        Ok(Self { text, cursor: Cursor::new(text)? })
    }

    /// Reads a value.
    pub(crate) fn value<V: Default + Saved>(&mut self) -> Result<V, InvalidSnapshot> {
        let mut value = V::default();
        value.read(self)?;
        Ok(value)
    }

    /// Says that there must be nothing more.
    pub(crate) fn end(&mut self) -> Result<(), InvalidSnapshot> {
        Ok(self.cursor.end()?)
    }

    /// Whether a null comes next.
    fn is_null(&mut self) -> Result<bool, InvalidSnapshot> {
        Ok(self.cursor.kind()? == Kind::Null)
    }

    fn string(&mut self) -> Result<String, InvalidSnapshot> {
        Ok(self.cursor.string()?.decode().into_owned())
    }

    /// The text of a number or word.
    fn scalar(&mut self) -> Result<&'a str, InvalidSnapshot> {
        let text = self.text;
        let Span { start, end } = self.cursor.skip()?;
        let text = text.get(start..end).and_then(|bytes| core::str::from_utf8(bytes).ok());
        Ok(text.unwrap_or_default())
    }

    fn number<N: core::str::FromStr>(&mut self) -> Result<N, InvalidSnapshot> {
        self.scalar()?.parse().map_err(|_| InvalidSnapshot::content("a number cannot be"))
    }

    /// Reads the members of an object; others than these are passed.
    pub(crate) fn members(
        &mut self,
        members: &mut [Member<&mut dyn Saved>],
    ) -> Result<(), InvalidSnapshot> {
        self.cursor.enter_object()?;
        while let Some(name) = self.cursor.next_member()? {
            if let Some((_, value, needed)) =
                members.iter_mut().find(|(known, ..)| name.equals(known))
            {
                value.read(self)?;
                *needed = false;
            }
        }
        match members.iter().find(|(.., needed)| *needed) {
            Some((name, ..)) => Err(InvalidSnapshot::content(format!("`{name}` is missing"))),
            None => Ok(()),
        }
    }

    /// Reads an array of values that may each be another type.
    fn elements(&mut self, elements: &mut [&mut dyn Saved]) -> Result<(), InvalidSnapshot> {
        let count = || InvalidSnapshot::content("an array has another length");
        self.cursor.enter_array()?;
        for element in elements {
            if !self.cursor.next_element()? {
                return Err(count());
            }
            element.read(self)?;
        }
        if self.cursor.next_element()? { Err(count()) } else { Ok(()) }
    }

    /// Reads which variant comes: its name, and whether a value follows, to be read before `close`.
    pub(crate) fn variant(&mut self) -> Result<(Text<'a>, bool), InvalidSnapshot> {
        if self.cursor.kind()? == Kind::String {
            return Ok((self.cursor.string()?, false));
        }
        self.cursor.enter_object()?;
        let none = || InvalidSnapshot::content("a variant has no name");
        Ok((self.cursor.next_member()?.ok_or_else(none)?, true))
    }

    /// Ends the variant that was begun last, if a value followed.
    pub(crate) fn close(&mut self, open: bool) -> Result<(), InvalidSnapshot> {
        if open && self.cursor.next_member()?.is_some() {
            return Err(InvalidSnapshot::content("a variant has two names"));
        }
        Ok(())
    }
}

/// A map or set of these, one by one: to collect them is to sort them first, with a sort of its own
/// for each type.
pub(crate) fn gather<C: Default + Extend<V>, V>(values: impl IntoIterator<Item = V>) -> C {
    let mut gathered = C::default();
    gathered.extend(values);
    gathered
}

/// Writes an object, less what need not be there.
pub(crate) fn write_members(out: &mut String, members: &[Member<&dyn Saved>]) {
    let mut separator = '{';
    for (name, value, needed) in members {
        if *needed || !value.is_default() {
            out.push(separator);
            write_string(out, name);
            out.push(':');
            value.write(out);
            separator = ',';
        }
    }
    if separator == '{' {
        out.push('{');
    }
    out.push('}');
}

fn write_elements<'a>(out: &mut String, elements: impl Iterator<Item = &'a dyn Saved>) {
    out.push('[');
    let mut is_first = true;
    for element in elements {
        if !core::mem::take(&mut is_first) {
            out.push(',');
        }
        element.write(out);
    }
    out.push(']');
}

/// Describes a struct: members that are always there, and after a semicolon those that are left out
/// when they have their default.
macro_rules! saved_struct {
    ($type:ident $(<$inner:ident>)? { $($needed:ident),*; $($optional:ident),* $(,)? }) => {
        impl $(<$inner: $crate::engine::form::Saved>)? $crate::engine::form::Saved
            for $type $(<$inner>)?
        {
            fn write(&self, out: &mut alloc::string::String) {
                $crate::engine::form::write_members(out, &[
                    $((stringify!($needed), &self.$needed, true),)*
                    $((stringify!($optional), &self.$optional, false),)*
                ]);
            }

            fn read(
                &mut self,
                reader: &mut $crate::engine::form::Reader<'_>,
            ) -> Result<(), $crate::engine::InvalidSnapshot> {
                reader.members(&mut [
                    $((stringify!($needed), &mut self.$needed, true),)*
                    $((stringify!($optional), &mut self.$optional, false),)*
                ])
            }

            fn is_default(&self) -> bool {
                false
            }
        }
    };
}

/// Describes an enum: variants that are a name, and after a semicolon those with a value.
macro_rules! saved_enum {
    ($type:ident {
        $($unit_name:literal $unit:ident),*; $($name:literal $variant:ident),* $(,)?
    }) => {
        impl $crate::engine::form::Saved for $type {
            fn write(&self, out: &mut alloc::string::String) {
                let (name, value): (_, &dyn $crate::engine::form::Saved) = match self {
                    $(Self::$unit => return $crate::json::write_string(out, $unit_name),)*
                    $(Self::$variant(value) => ($name, value),)*
                };
                $crate::engine::form::write_members(out, &[(name, value, true)]);
            }

            fn read(
                &mut self,
                reader: &mut $crate::engine::form::Reader<'_>,
            ) -> Result<(), $crate::engine::InvalidSnapshot> {
                let (name, open) = reader.variant()?;
                let name = name.decode();
                *self = match (&*name, open) {
                    $(($unit_name, false) => Self::$unit,)*
                    $(($name, true) => Self::$variant(reader.value()?),)*
                    _ => return Err($crate::engine::InvalidSnapshot::content(
                        alloc::format!("there is no variant `{}`", name.escape_debug()),
                    )),
                };
                reader.close(open)
            }

            fn is_default(&self) -> bool {
                false
            }
        }
    };
}
pub(crate) use {saved_enum, saved_struct};

macro_rules! numbers {
    ($($type:ty),*) => {
        $(impl Saved for $type {
            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }

            fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
                *self = reader.number()?;
                Ok(())
            }

            fn is_default(&self) -> bool {
                *self == 0
            }
        })*
    };
}
numbers!(i32, u8, u16, u32, u64, usize);

impl Saved for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        *self = match reader.scalar()? {
            "true" => true,
            "false" => false,
            _ => return Err(InvalidSnapshot::content("neither true nor false")),
        };
        Ok(())
    }

    fn is_default(&self) -> bool {
        !*self
    }
}

impl Saved for String {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        *self = reader.string()?;
        Ok(())
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Saved for Box<str> {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        *self = reader.string()?.into_boxed_str();
        Ok(())
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<V: Saved> Saved for Box<V> {
    fn write(&self, out: &mut String) {
        V::write(self, out);
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        V::read(self, reader)
    }

    fn is_default(&self) -> bool {
        V::is_default(self)
    }
}

impl<V: Default + Saved> Saved for Option<V> {
    fn write(&self, out: &mut String) {
        match self {
            None => out.push_str("null"),
            Some(value) => value.write(out),
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        if reader.is_null()? {
            reader.cursor.skip()?;
            return Ok(());
        }
        self.insert(V::default()).read(reader)
    }

    fn is_default(&self) -> bool {
        self.is_none()
    }
}

impl<V: Default + Saved> Saved for Vec<V> {
    fn write(&self, out: &mut String) {
        write_elements(out, self.iter().map(|value| value as &dyn Saved));
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        reader.cursor.enter_array()?;
        while reader.cursor.next_element()? {
            self.push(reader.value()?);
        }
        Ok(())
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

/// Counts by name.
impl Saved for BTreeMap<Box<str>, u16> {
    fn write(&self, out: &mut String) {
        let mut separator = '{';
        for (name, count) in self {
            out.push(separator);
            write_string(out, name);
            out.push(':');
            count.write(out);
            separator = ',';
        }
        if self.is_empty() {
            out.push('{');
        }
        out.push('}');
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        reader.cursor.enter_object()?;
        while let Some(name) = reader.cursor.next_member()? {
            let count = reader.value()?;
            self.insert(name.decode().into(), count);
        }
        Ok(())
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt),+)),+) => {
        $(impl<$($part: Saved),+> Saved for ($($part),+) {
            fn write(&self, out: &mut String) {
                let parts: [&dyn Saved; _] = [$(&self.$index),+];
                write_elements(out, parts.into_iter());
            }

            fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
                reader.elements(&mut [$(&mut self.$index),+])
            }

            fn is_default(&self) -> bool {
                false
            }
        })+
    };
}
tuples!((A 0, B 1), (A 0, B 1, C 2));

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Some_ {
        a: u64,
        b: Option<(String, bool)>,
        c: Vec<i32>,
        d: Which,
    }

    #[derive(Debug, Default, PartialEq)]
    enum Which {
        #[default]
        Neither,
        Much(Box<str>),
    }

    saved_struct!(Some_ { a, d; b, c });
    saved_enum!(Which { "neither" Neither; "much" Much });

    fn written(value: &impl Saved) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    fn read<V: Default + Saved>(text: &str) -> Result<V, String> {
        let read = || {
            let mut reader = Reader::new(text.as_bytes())?;
            let value = reader.value()?;
            reader.end()?;
            Ok(value)
        };
        read().map_err(|error: InvalidSnapshot| error.to_string())
    }

    #[test]
    fn what_is_written_is_read() {
        let small = Some_::default();
        assert_eq!(written(&small), r#"{"a":0,"d":"neither"}"#);
        let big = Some_ {
            a: u64::MAX,
            b: Some(("\u{1}\"ä".into(), true)),
            c: alloc::vec![i32::MIN, 0],
            d: Which::Much("x".into()),
        };
        let text = r#"{"a":18446744073709551615,"d":{"much":"x"},"b":["\u0001\"ä",true],"c":[-2147483648,0]}"#;
        assert_eq!(written(&big), text);
        for value in [small, big] {
            assert_eq!(read(&written(&value)), Ok(value));
        }
        let counts: BTreeMap<Box<str>, u16> = [("a".into(), 1), ("b".into(), 2)].into();
        assert_eq!(read(&written(&counts)), Ok(counts));
        let more = r#" { "e" : [{}], "d" : "neither", "a" : 1, "b" : null } "#;
        assert_eq!(read(more), Ok(Some_ { a: 1, ..Some_::default() }));
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = [
            ("{}", "`a` is missing"),
            (r#"{"a":1.5,"d":"neither"}"#, "a number cannot be"),
            (r#"{"a":-1,"d":"neither"}"#, "a number cannot be"),
            (r#"{"a":1,"d":"much"}"#, "there is no variant `much`"),
            (r#"{"a":1,"d":{"much":"a","b":1}}"#, "a variant has two names"),
            (r#"{"a":1,"d":{}}"#, "a variant has no name"),
            (r#"{"a":1,"d":"neither","b":["a"]}"#, "an array has another length"),
            (r#"{"a":1,"d":"neither","b":["a",1]}"#, "neither true nor false"),
        ];
        for (text, reason) in wrong {
            let error = read::<Some_>(text).unwrap_err();
            assert_eq!(error, format!("snapshot cannot be read: {reason}"), "{text}");
        }
        assert!(read::<u64>("1 2").is_err());
        assert!(read::<String>("7").is_err());
    }
}
