//! How the outputs of engines cross.

use silkline::{
    Timestamp,
    engine::{Failure, IdleReason, JobId, RequestId, WaitReason},
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

/// The job of a number.
pub(crate) fn job_id(job: f64) -> JobId {
    JobId::from_u64(number(job))
}

/// The request of a number.
pub(crate) fn request_id(request: f64) -> RequestId {
    RequestId::from_u64(number(request))
}

/// The failure of an index among all.
pub(crate) fn failure(index: usize) -> Failure {
    Failure::ALL.get(index).copied().unwrap_or(Failure::Network)
}

/// What the other side calls on an engine, whichever it is; what differs is beside its class, which
/// has an `engine`, a `parcel`, the bodies that are `kept`, and packs sends and events.
macro_rules! driven_engine {
    ($class:ident, $output:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// Ends a job as cancelled.
            pub fn cancel(&mut self, job: f64, now: f64) -> bool {
                self.engine.cancel($crate::parcel::job_id(job), moment(now))
            }

            /// Whether a job is unfinished.
            pub fn contains(&self, job: f64) -> bool {
                self.engine.contains($crate::parcel::job_id(job))
            }

            /// How many further jobs are taken in.
            pub fn room(&self) -> u32 {
                self.engine.room()
            }

            /// What to do next, up to so many things at once.
            pub fn poll(&mut self, now: f64, most: usize) -> wasm_bindgen::JsValue {
                let now = moment(now);
                self.parcel.clear();
                for _ in 0..most {
                    let output = self.engine.poll(now);
                    let is_rest = output.is_rest();
                    self.pack(output);
                    if is_rest {
                        break;
                    }
                }
                self.parcel.deliver()
            }

            fn pack(&mut self, output: $output) {
                match output {
                    $output::Send(send) => self.pack_send(&send),
                    $output::Abort(request) => self.parcel.abort(request),
                    $output::Event(event) => self.pack_event(&event),
                    $output::WaitUntil { at, reason } => {
                        self.kept.clear();
                        self.parcel.wait_until(at, reason);
                    }
                    $output::Idle(reason) => {
                        self.kept.clear();
                        self.parcel.idle(reason);
                    }
                }
            }

            /// Says that a request left; whether it was late.
            #[wasm_bindgen(js_name = handleSent)]
            pub fn handle_sent(&mut self, request: f64, now: f64) -> Result<bool, Thrown> {
                let receipt = self.engine.handle_sent(request_id(request), moment(now))?;
                Ok(receipt == Receipt::Late)
            }

            /// Takes the failure of a request, by its index among all; whether it was late.
            #[wasm_bindgen(js_name = handleFailure)]
            pub fn handle_failure(
                &mut self,
                request: f64,
                failure: usize,
                now: f64,
            ) -> Result<bool, Thrown> {
                let (request, failure) = (request_id(request), $crate::parcel::failure(failure));
                let receipt = self.engine.handle_failure(request, failure, moment(now))?;
                Ok(receipt == Receipt::Late)
            }

            /// Goes on after a stop.
            pub fn resume(&mut self, now: f64) {
                self.engine.resume(moment(now));
            }

            /// Ends all jobs that are not under way, and the others when the grace is over.
            pub fn close(&mut self, now: f64, grace: f64) {
                self.engine.close(moment(now), delay(grace));
            }

            /// Everything that a new process needs to go on.
            pub fn snapshot(&self, now: f64) -> wasm_bindgen::JsValue {
                convert::copy_bytes(&self.engine.snapshot(moment(now)))
            }
        }
    };
}

pub(crate) use driven_engine;
