//! The form of snapshots: a line that says what it is, then the state as JSON.

use alloc::{string::String, vec::Vec};

use super::form::{Reader, Saved, saved_struct};
use crate::http::{Headers, Response};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Bytes that are no snapshot of this machine.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSnapshot {
    /// The state cannot be read.
    #[error("snapshot cannot be read: {reason}")]
    Content {
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another machine.
    #[error("snapshot is of `{}`, not of `{expected}`", found.escape_debug())]
    Machine {
        /// The machine that it names.
        found: String,
        /// The machine that was to be restored.
        expected: &'static str,
    },
    /// It does not begin like a snapshot.
    #[error("not a snapshot")]
    Unknown,
    /// It is of a version that this library does not know.
    #[error("snapshot is of version {found}, this library reads up to {known}")]
    Version {
        /// The version that it names.
        found: u32,
        /// The latest version known.
        known: u32,
    },
}

impl InvalidSnapshot {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] =
        &["snapshot_content", "snapshot_machine", "snapshot_unknown", "snapshot_version"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Content { .. } => "snapshot_content",
            Self::Machine { .. } => "snapshot_machine",
            Self::Unknown => "snapshot_unknown",
            Self::Version { .. } => "snapshot_version",
        }
    }

    pub(crate) fn content(reason: impl Into<String>) -> Self {
        Self::Content { reason: reason.into() }
    }
}

/// The version that is written.
const VERSION: u32 = 1;

#[derive(Default)]
struct Header {
    silkline_snapshot: String,
    version: u32,
}
saved_struct!(Header { silkline_snapshot, version; });

/// Writes a snapshot of a machine.
pub(crate) fn write(machine: &'static str, state: &impl Saved) -> Vec<u8> {
    let mut text = String::new();
    Header { silkline_snapshot: machine.into(), version: VERSION }.write(&mut text);
    text.push('\n');
    state.write(&mut text);
    text.into_bytes()
}

/// Reads a snapshot of a machine.
pub(crate) fn read<S: Default + Saved>(
    machine: &'static str,
    bytes: &[u8],
) -> Result<S, InvalidSnapshot> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(InvalidSnapshot::Unknown)?;
    let (header, state) = bytes.split_at(end);
    let header: Header = read_whole(header).map_err(|_| InvalidSnapshot::Unknown)?;
    if header.silkline_snapshot != machine {
        let found = header.silkline_snapshot;
        return Err(InvalidSnapshot::Machine { found, expected: machine });
    }
    if header.version > VERSION {
        return Err(InvalidSnapshot::Version { found: header.version, known: VERSION });
    }
    read_whole(state)
}

fn read_whole<S: Default + Saved>(text: &[u8]) -> Result<S, InvalidSnapshot> {
    let mut reader = Reader::new(text)?;
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// The largest number that is believed: what is counted from there on stays in its type, and ids
/// stay numbers in every language.
const MAX_NUMBER: u64 = 1 << 52;

/// Refuses numbers that nothing can have counted up to.
pub(crate) fn check_numbers(numbers: impl IntoIterator<Item = u64>) -> Result<(), InvalidSnapshot> {
    if numbers.into_iter().all(|number| number <= MAX_NUMBER) {
        return Ok(());
    }
    Err(InvalidSnapshot::content("a number is too large"))
}

/// A response in a snapshot.
#[derive(Default)]
pub(crate) struct SavedResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: SavedBytes,
}
saved_struct!(SavedResponse { status, headers, body; });

impl SavedResponse {
    pub(crate) fn new(response: &Response) -> Self {
        let headers = response.headers.iter().map(|(name, value)| (name.into(), value.into()));
        Self {
            status: response.status,
            headers: headers.collect(),
            body: SavedBytes::new(&response.body),
        }
    }

    pub(crate) fn into_response(self) -> Result<Response, InvalidSnapshot> {
        let headers = Headers::from_received(self.headers);
        Ok(Response::new(self.status, headers, self.body.into_bytes()?))
    }
}

/// Bytes in a snapshot, as Base64.
#[derive(Default)]
pub(crate) struct SavedBytes(String);

impl Saved for SavedBytes {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), InvalidSnapshot> {
        self.0.read(reader)
    }

    fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

impl SavedBytes {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(STANDARD.encode(bytes))
    }

    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, InvalidSnapshot> {
        STANDARD.decode(self.0).map_err(|_| InvalidSnapshot::content("a body is not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong() {
        let code = |bytes: &[u8]| read::<u8>("a", bytes).unwrap_err().code();
        assert_eq!(read("a", &write("a", &7_u8)), Ok(7_u8));
        assert_eq!(code(b""), "snapshot_unknown");
        assert_eq!(code(b"{}\n7"), "snapshot_unknown");
        assert_eq!(code(&write("b", &7_u8)), "snapshot_machine");
        assert_eq!(code(b"{\"silkline_snapshot\":\"a\",\"version\":2}\n7"), "snapshot_version");
        assert_eq!(code(b"{\"silkline_snapshot\":\"a\",\"version\":1}\n{"), "snapshot_content");
    }
}
