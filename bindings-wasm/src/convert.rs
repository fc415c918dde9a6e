//! The only place that knows how JavaScript writes durations, headers, bytes and objects.
//!
//! Objects cross as JSON text that is written without floats: their tables alone would weigh as much
//! as the whole binding.

use core::time::Duration;
use std::borrow::Cow;

use silkline::{
    Timestamp,
    http::{Headers, Request},
    json::{Cursor, InvalidJson, Kind, write_string},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen(raw_module = "border")]
extern "C" {
    /// Copies bytes out of the WebAssembly memory.
    #[wasm_bindgen(js_name = copyBytes)]
    pub(crate) fn copy_bytes(bytes: &[u8]) -> JsValue;

    /// Copies numbers out of the WebAssembly memory.
    #[wasm_bindgen(js_name = copyNumbers)]
    pub(crate) fn copy_numbers(numbers: &[u32]) -> JsValue;

    /// Copies numbers, bytes and a text out at once.
    pub(crate) fn deliver(numbers: &[f64], bytes: &[u8], text: &str) -> JsValue;
}

/// A JSON object that grows member by member.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".into())
    }

    /// The same with a member whose value is JSON already.
    pub(crate) fn json(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write_string(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.json(name, &quoted(text))
    }

    pub(crate) fn maybe_text(self, name: &str, text: Option<&str>) -> Self {
        self.json(name, &text.map_or("null".into(), quoted))
    }

    pub(crate) fn number(self, name: &str, number: impl TryInto<u64>) -> Self {
        self.maybe_number(name, Some(number))
    }

    pub(crate) fn maybe_number(self, name: &str, number: Option<impl TryInto<u64>>) -> Self {
        let number = number.map(|number| number.try_into().unwrap_or(u64::MAX).to_string());
        self.json(name, number.as_deref().unwrap_or("null"))
    }

    pub(crate) fn flag(self, name: &str, flag: bool) -> Self {
        self.json(name, if flag { "true" } else { "false" })
    }

    /// A duration in milliseconds, with the microseconds as its fraction.
    pub(crate) fn millis(self, name: &str, duration: Option<Duration>) -> Self {
        let millis = duration.map(|duration| {
            let micros = duration.as_micros();
            format!("{}.{:03}", micros / 1000, micros % 1000)
        });
        self.json(name, millis.as_deref().unwrap_or("null"))
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON array of JSON texts.
pub(crate) fn array<T: AsRef<str>>(elements: impl IntoIterator<Item = T>) -> String {
    let mut json = String::from("[");
    for element in elements {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(element.as_ref());
    }
    json.push(']');
    json
}

/// A string as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::new();
    write_string(&mut json, text);
    json
}

/// Milliseconds, as JavaScript counts time; a fraction keeps the microseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A moment in milliseconds on the driver's clock, to the nearest microsecond.
pub(crate) fn moment(millis: f64) -> Timestamp {
    Timestamp::from_micros(number(millis * 1000.0))
}

/// A duration in milliseconds, likewise.
pub(crate) fn delay(millis: f64) -> Duration {
    Duration::from_micros(number(millis * 1000.0))
}

/// The nearest whole number; beyond the type, its nearest end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ends are meant")]
pub(crate) fn number(number: f64) -> u64 {
    (number + 0.5) as u64
}

/// The same for smaller numbers.
pub(crate) fn count(count: f64) -> u32 {
    u32::try_from(number(count)).unwrap_or(u32::MAX)
}

/// A place or length: all are below 2^32.
#[expect(clippy::cast_precision_loss, reason = "all are below 2^32")]
pub(crate) fn float(number: usize) -> f64 {
    number as f64
}

/// A moment in milliseconds; the last one that can be told is infinity.
#[expect(clippy::cast_precision_loss, reason = "moments stay below 2^53, or are nobody's")]
pub(crate) fn tell(moment: Timestamp) -> f64 {
    if moment == Timestamp::MAX { f64::INFINITY } else { moment.as_micros() as f64 / 1000.0 }
}

/// A duration in milliseconds, the nearest number to its microseconds.
#[expect(clippy::cast_precision_loss, reason = "durations stay below 2^53, or are for ever")]
pub(crate) fn tell_delay(delay: Duration) -> f64 {
    u64::try_from(delay.as_micros()).unwrap_or(u64::MAX) as f64 / 1000.0
}

/// Settings in a fixed order, of which one that is not given is NaN.
pub(crate) struct Given<'a>(core::slice::Iter<'a, f64>);

impl<'a> Given<'a> {
    pub(crate) fn new(settings: &'a [f64]) -> Self {
        Self(settings.iter())
    }

    /// The next setting, if it is given.
    pub(crate) fn next(&mut self) -> Option<f64> {
        self.0.next().copied().filter(|setting| !setting.is_nan())
    }
}

/// The strings and nulls of a JSON array, which the other side wrote.
pub(crate) fn maybe_strings(json: &str) -> Vec<Option<String>> {
    let mut strings = Vec::new();
    let mut read = || {
        let mut cursor = Cursor::new(json.as_bytes())?;
        cursor.enter_array()?;
        while cursor.next_element()? {
            strings.push(match cursor.kind()? {
                Kind::String => Some(cursor.string()?.decode().into_owned()),
                _ => cursor.skip().map(|_| None)?,
            });
        }
        Ok::<_, InvalidJson>(())
    };
    read().ok();
    strings
}

/// Headers that came as a JSON array of names and values in turn, which the other side wrote.
pub(crate) fn received_headers(json: &str) -> Headers {
    let mut texts = strings(json).unwrap_or_default().into_iter().map(Cow::into_owned);
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        pairs.push((name, value));
    }
    Headers::from_received(pairs)
}

fn strings(json: &str) -> Result<Vec<Cow<'_, str>>, InvalidJson> {
    let mut strings = Vec::new();
    let mut cursor = Cursor::new(json.as_bytes())?;
    cursor.enter_array()?;
    while cursor.next_element()? {
        strings.push(cursor.string()?.decode());
    }
    Ok(strings)
}

/// A request as method, URL, headers and body.
pub(crate) fn request(request: &Request) -> Vec<JsValue> {
    let [method, url, lines] = request_head(request);
    vec![method, url, lines, copy_bytes(&request.body)]
}

/// A request without its body, which stays where it is.
pub(crate) fn request_head(request: &Request) -> [JsValue; 3] {
    let lines = header_lines(&request.headers);
    [request.method.as_str().into(), request.url.as_str().into(), lines.into()]
}

/// Names and values of headers as lines: none of them can hold a line feed, and one text crosses
/// faster than ten.
pub(crate) fn header_lines(headers: &Headers) -> String {
    let mut lines = String::new();
    for (name, value) in headers.iter() {
        for text in [name, value] {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(text);
        }
    }
    lines
}
