use alloc::string::String;

/// Writes a string as JSON: quoted, and escaped where it must be.
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a string has a JSON form")]
pub fn write_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a string can be written"));
}
