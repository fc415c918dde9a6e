//! How the outputs of engines cross.

use silkline::{
    Timestamp,
    engine::{Failure, IdleReason, RequestId, WaitReason},
};
use wasm_bindgen::prelude::JsValue;

use crate::convert::{float, number, quoted, tell};

/// Outputs on their way out: rows of numbers, a JSON array of texts and objects, and bytes, each to
/// be read in turn. `npm/lib/outputs.cjs` knows the rows.
#[derive(Default)]
pub(crate) struct Parcel {
    pub(crate) numbers: Vec<f64>,
    json: String,
    bytes: Vec<u8>,
}

impl Parcel {
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
        self.json.clear();
        self.bytes.clear();
    }

    pub(crate) fn row<const N: usize>(&mut self, numbers: [f64; N]) {
        self.numbers.extend(numbers);
    }

    pub(crate) fn value(&mut self, json: &str) {
        self.json.push(if self.json.is_empty() { '[' } else { ',' });
        self.json.push_str(json);
    }

    pub(crate) fn text(&mut self, text: Option<&str>) {
        self.value(&text.map_or("null".into(), quoted));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.numbers.push(float(bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    /// A body: where it stands, if the other side keeps it, else zero and its bytes.
    pub(crate) fn body(&mut self, kept: &[usize], body: &[u8]) {
        let place = body.as_ptr().addr();
        if kept.contains(&place) {
            self.numbers.push(float(place));
        } else {
            self.numbers.push(0.0);
            self.bytes(body);
        }
    }

    /// A request to give up.
    pub(crate) fn abort(&mut self, request: RequestId) {
        self.row([1.0, id(request.as_u64())]);
    }

    /// Nothing before a moment.
    pub(crate) fn wait_until(&mut self, at: Timestamp, reason: WaitReason) {
        let reason = WaitReason::ALL.iter().position(|known| *known == reason);
        self.row([2.0, tell(at), float(reason.unwrap_or_default())]);
    }

    /// Nothing before the next command.
    pub(crate) fn idle(&mut self, reason: IdleReason) {
        let reason = IdleReason::ALL.iter().position(|known| *known == reason);
        self.row([3.0, float(reason.unwrap_or_default())]);
    }

    /// Hands all of it out at once.
    pub(crate) fn deliver(&mut self) -> JsValue {
        if !self.json.is_empty() {
            self.json.push(']');
        }
        crate::convert::deliver(&self.numbers, &self.bytes, &self.json)
    }
}

/// An id as a number: it is far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "ids stay below 2^53")]
pub(crate) fn id(id: u64) -> f64 {
    id as f64
}

/// The request of a number.
pub(crate) fn request_id(request: f64) -> RequestId {
    RequestId::from_u64(number(request))
}

/// The failure of an index among all.
pub(crate) fn failure(index: usize) -> Failure {
    Failure::ALL.get(index).copied().unwrap_or(Failure::Network)
}
