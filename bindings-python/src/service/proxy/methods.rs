//! What a host calls on a proxy: the same for each service.

/// The methods of a proxy's class, and its constructor: each of the settings is a keyword argument
/// that may be left out, and a field of the struct `Settings`, whose `into_core` makes the machine.
macro_rules! proxy_methods {
    (
        $class:ident,
        $(#[$($about_api:tt)*])* handle_api,
        settings { $($setting:ident: $type:ty),+ $(,)? }
    ) => {
        /// The settings as they are given.
        struct Settings {
            $($setting: Option<$type>,)+
        }

        const _: () = {
            use silkline::{
                http::{Method, Request},
                service::proxy::{FetchOutcome, Ticket},
            };
            use $crate::{
                convert::{Moment, ReceivedHeaders, Text},
                http::MethodName,
                service::{
                    PyAnswer,
                    proxy::{ConnectStep, FailureName, PollStep, PyTunnel, RequestStep},
                },
            };

            #[pyo3::pymethods]
            impl $class {
                #[new]
                #[pyo3(signature = (*, $($setting = None),+))]
                #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
                fn new(py: Python<'_>, $($setting: Option<$type>),+) -> PyResult<Self> {
                    Settings { $($setting),+ }.into_core(py).map(Shared::new).map(Self)
                }

                /// Takes a CONNECT to host and port.
                fn handle_connect(
                    &self,
                    py: Python<'_>,
                    authority: Text,
                    headers: ReceivedHeaders,
                    now: Moment,
                ) -> PyResult<ConnectStep> {
                    let request =
                        Request::new(Method::CONNECT, authority.value).with_headers(headers.0);
                    let step = self.0.lock(py).handle_connect(&request, now.0);
                    ConnectStep::from_core(py, step)
                }

                /// Takes a request whose URL is absolute, with the tunnel it came through. The body stays
                /// with the host.
                #[pyo3(signature = (method, url, headers, now, tunnel = None))]
                fn handle_request(
                    &self,
                    py: Python<'_>,
                    method: MethodName,
                    url: Text,
                    headers: ReceivedHeaders,
                    now: Moment,
                    tunnel: Option<&PyTunnel>,
                ) -> PyResult<RequestStep> {
                    let request = Request::new(method.0, url.value).with_headers(headers.0);
                    let tunnel = tunnel.map(PyTunnel::as_core);
                    let step = self.0.lock(py).handle_request(request, tunnel, now.0);
                    RequestStep::from_core(py, step)
                }

                /// Takes a target's answer: status, headers and, if the fetch asked for it, the start of the
                /// body.
                fn handle_responded(
                    &self,
                    py: Python<'_>,
                    ticket: u64,
                    status: u16,
                    headers: ReceivedHeaders,
                    body_start: Vec<u8>,
                    now: Moment,
                ) -> PyResult<RequestStep> {
                    let outcome = FetchOutcome::Responded { status, headers: headers.0, body_start };
                    let step = self.0.lock(py).handle_fetched(Ticket(ticket), outcome, now.0);
                    RequestStep::from_core(py, step)
                }

                /// Takes the failure of a fetch, by its name: ``nxdomain``, ``timeout``, ….
                fn handle_failed(
                    &self,
                    py: Python<'_>,
                    ticket: u64,
                    failure: FailureName,
                    now: Moment,
                ) -> PyResult<RequestStep> {
                    let outcome = FetchOutcome::Failed(failure.0);
                    let step = self.0.lock(py).handle_fetched(Ticket(ticket), outcome, now.0);
                    RequestStep::from_core(py, step)
                }

                /// Takes note that an answer was passed on, with how many bytes of body.
                fn handle_finished(&self, py: Python<'_>, ticket: u64, body_bytes: u64, now: Moment) {
                    self.0.lock(py).handle_finished(Ticket(ticket), body_bytes, now.0);
                }

                /// Takes note that the client of a request went away.
                fn handle_closed(&self, py: Python<'_>, ticket: u64, now: Moment) {
                    self.0.lock(py).handle_closed(Ticket(ticket), now.0);
                }

                $(#[$($about_api)*])*
                fn handle_api(
                    &self,
                    py: Python<'_>,
                    method: MethodName,
                    path: Text,
                    headers: ReceivedHeaders,
                    now: Moment,
                ) -> PyResult<PyAnswer> {
                    let request = Request::new(method.0, path.value).with_headers(headers.0);
                    let answer = self.0.lock(py).handle_api(&request, now.0);
                    PyAnswer::from_core(py, None, answer)
                }

                /// Answers bytes that are no request, or one whose head is too large to be read.
                fn handle_unreadable(
                    &self,
                    py: Python<'_>,
                    too_large: bool,
                    now: Moment,
                ) -> PyResult<PyAnswer> {
                    let answer = self.0.lock(py).handle_unreadable(too_large, now.0);
                    PyAnswer::from_core(py, None, answer)
                }

                /// What is to be done next: a fetch, the moment to come back, or nothing.
                fn poll(&self, py: Python<'_>, now: Moment) -> PyResult<Option<PollStep>> {
                    let output = self.0.lock(py).poll(now.0);
                    PollStep::from_core(py, output)
                }

                /// The counts so far, as JSON.
                fn stats_json(&self, py: Python<'_>) -> String {
                    self.0.lock(py).stats().to_json()
                }
            }
        };
    };
}

pub(crate) use proxy_methods;
