//! The options of a proxied request.

use pyo3::{
    prelude::*,
    types::{PyDict, PyString, PyType},
};
use silkline::proxy::{Cookies, Profile, ProxyOptions, ProxyWarning, Session};

use crate::{
    convert::{self, Members, ReceivedHeaders},
    errors,
    http::PyHeaders,
};

/// The options of a proxied request: one for each request header of the service.
///
/// Options are checked when they are made, so those that exist can be sent. Nothing is set by
/// default: the service's own defaults hold. ``session`` is ``"create"`` or an id and excludes
/// ``region``; ``timeout`` is in seconds, for each attempt; ``cookies`` is ``"enable"``,
/// ``"disable"`` or ``"discard"``; ``profile`` is ``"pass"``, ``"desktop"`` or ``"mobile"``, as is
/// the deprecated ``ua``; ``profile_pass`` names the headers that pass in spite of the profile;
/// ``debug`` is any of ``"request-time"`` and ``"ua"``; ``extra`` holds ``X-Crawlera-*`` headers that
/// have no option here.
///
/// >>> from silkline import ProxyOptions
/// >>> options = ProxyOptions(session="create", max_retries=2, cookies="disable")
/// >>> options
/// ProxyOptions(session='create', max_retries=2, cookies='disable')
/// >>> dict(options.headers())["X-Crawlera-Session"]
/// 'create'
/// >>> options.replace(region="us")
/// Traceback (most recent call last):
/// ...
/// silkline.exceptions.InvalidProxyOptions: a session cannot be used together with a region
#[pyclass(name = "ProxyOptions", module = "silkline", frozen, eq, hash)]
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct PyProxyOptions(pub(crate) ProxyOptions);

#[pymethods]
impl PyProxyOptions {
    #[new]
    #[pyo3(signature = (
        *, session = None, max_retries = None, timeout = None, cookies = None, profile = None,
        profile_pass = None, ua = None, no_bancheck = None, region = None, state = None,
        city = None, job_id = None, client = None, debug = None, use_https = None, extra = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        session: Option<String>,
        max_retries: Option<u64>,
        timeout: Option<f64>,
        cookies: Option<String>,
        profile: Option<String>,
        profile_pass: Option<Vec<String>>,
        ua: Option<String>,
        no_bancheck: Option<bool>,
        region: Option<String>,
        state: Option<String>,
        city: Option<String>,
        job_id: Option<String>,
        client: Option<String>,
        debug: Option<Vec<String>>,
        use_https: Option<bool>,
        extra: Option<ReceivedHeaders>,
    ) -> PyResult<Self> {
        let timeout = convert::maybe_delay("timeout", timeout)?;
        let texts = [
            ("session", session),
            ("max_retries", max_retries.map(|number| number.to_string())),
            ("cookies", cookies),
            ("profile", profile),
            ("ua", ua),
            ("no_bancheck", no_bancheck.map(|flag| flag.to_string())),
            ("region", region),
            ("state", state),
            ("city", city),
            ("job_id", job_id),
            ("client", client),
            ("use_https", use_https.map(|flag| flag.to_string())),
        ];
        let lists = [("profile_pass", profile_pass), ("debug", debug)];
        let lists = lists
            .iter()
            .flat_map(|(name, words)| words.iter().flatten().map(|word| (*name, word.as_str())));
        let texts = texts.iter().filter_map(|(name, word)| Some((*name, word.as_deref()?)));
        let extra = extra.map(|extra| extra.0).unwrap_or_default();
        let words = ProxyOptions::from_words(texts.chain(lists), &extra);
        let made = match timeout {
            Some(timeout) => words.and_then(|options| options.with_timeout(timeout)),
            None => words,
        };
        made.map(Self).map_err(|error| errors::proxy_options(py, &error))
    }

    /// Reads the options from the ``X-Crawlera-*`` headers of a request; other headers are passed
    /// over.
    ///
    /// >>> from silkline import ProxyOptions
    /// >>> ProxyOptions.from_headers({"x-crawlera-session": "7", "Accept": "text/html"})
    /// ProxyOptions(session='7')
    #[classmethod]
    fn from_headers(cls: &Bound<'_, PyType>, headers: ReceivedHeaders) -> PyResult<Self> {
        ProxyOptions::from_headers(&headers.0)
            .map(Self)
            .map_err(|error| errors::proxy_options(cls.py(), &error))
    }

    /// The headers of these options, spelled as the documentation does; only what is set.
    ///
    /// >>> from silkline import ProxyOptions
    /// >>> ProxyOptions(profile="mobile").headers()
    /// Headers([('X-Crawlera-Profile', 'mobile')])
    fn headers(&self) -> PyHeaders {
        PyHeaders(self.0.headers())
    }

    /// The same options with others set, by the names of the arguments. ``None`` unsets one.
    ///
    /// >>> from silkline import ProxyOptions
    /// >>> ProxyOptions(session="7", profile="mobile").replace(session=None, region="de")
    /// ProxyOptions(profile='mobile', region='DE')
    #[pyo3(signature = (**changes: "object"))]
    fn replace<'py>(
        &self,
        py: Python<'py>,
        changes: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Self>> {
        let arguments = self.arguments(py)?;
        if let Some(changes) = changes {
            arguments.update(changes.as_mapping())?;
        }
        Ok(py.get_type::<Self>().call((), Some(&arguments))?.cast_into()?)
    }

    /// These options, with what is not set here taken from others.
    ///
    /// >>> from silkline import ProxyOptions
    /// >>> defaults = ProxyOptions(profile="desktop", cookies="discard")
    /// >>> ProxyOptions(profile="mobile").with_defaults(defaults)
    /// ProxyOptions(cookies='discard', profile='mobile')
    fn with_defaults(&self, py: Python<'_>, defaults: &Self) -> PyResult<Self> {
        let filled = self.0.clone().with_defaults(&defaults.0);
        filled.map(Self).map_err(|error| errors::proxy_options(py, &error))
    }

    /// Codes of what is allowed but hardly meant.
    ///
    /// >>> from silkline import ProxyOptions
    /// >>> ProxyOptions(profile="desktop", ua="mobile").warnings
    /// ['ua_ignored']
    #[getter]
    fn warnings(&self) -> Vec<&'static str> {
        self.0.warnings().into_iter().map(ProxyWarning::code).collect()
    }

    /// ``"create"``, or the id of the session.
    #[getter]
    fn session(&self) -> Option<&str> {
        self.0.session().map(Session::as_str)
    }

    /// How many times the service itself retries.
    #[getter]
    fn max_retries(&self) -> Option<u8> {
        self.0.max_retries()
    }

    /// How many seconds the service waits for the target in each attempt.
    #[getter]
    fn timeout(&self) -> Option<f64> {
        self.0.timeout().map(convert::seconds)
    }

    /// What the service does with cookies.
    #[getter]
    fn cookies(&self) -> Option<&'static str> {
        self.0.cookies().map(Cookies::as_str)
    }

    /// Whose browser headers the target sees.
    #[getter]
    fn profile(&self) -> Option<&'static str> {
        self.0.profile().map(Profile::as_str)
    }

    /// The names of the headers that pass in spite of the profile.
    #[getter]
    fn profile_pass(&self) -> Vec<String> {
        self.0.profile_pass().to_vec()
    }

    /// The deprecated form of the profile.
    #[getter]
    fn ua(&self) -> Option<&'static str> {
        self.0.ua().map(Profile::as_str)
    }

    /// Whether the service passes any answer on instead of looking for bans.
    #[getter]
    fn no_bancheck(&self) -> bool {
        self.0.no_bancheck()
    }

    /// The country to leave from, in upper case.
    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region()
    }

    /// The state to leave from.
    #[getter]
    fn state(&self) -> Option<&str> {
        self.0.state()
    }

    /// The city to leave from.
    #[getter]
    fn city(&self) -> Option<&str> {
        self.0.city()
    }

    /// The name under which the service's logs show the request.
    #[getter]
    fn job_id(&self) -> Option<&str> {
        self.0.job_id()
    }

    /// The program that sends, as ``name/version``.
    #[getter]
    fn client(&self) -> Option<&str> {
        self.0.client()
    }

    /// The debug headers that the answer should have.
    #[getter]
    fn debug(&self) -> Vec<&'static str> {
        self.0.debug().words().collect()
    }

    /// Whether the service fetches an ``http`` target over ``https``.
    #[getter]
    fn use_https(&self) -> bool {
        self.0.use_https()
    }

    /// The ``X-Crawlera-*`` headers that have no option here, as pairs.
    #[getter]
    fn extra(&self) -> Vec<(String, String)> {
        self.0.extra().to_vec()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for (name, value) in self.arguments(py)? {
            parts.push(format!("{name}={}", value.repr()?));
        }
        Ok(format!("ProxyOptions({})", parts.join(", ")))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Members<'py>)> {
        Ok(((), Members(self.arguments(py)?)))
    }
}

impl PyProxyOptions {
    /// The arguments that make these options: what is set, in the order of the signature.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        let text = |name: &str, value: Option<&str>| match value {
            Some(value) => arguments.set_item(name, PyString::new(py, value)),
            None => Ok(()),
        };
        text("session", self.session())?;
        if let Some(number) = self.max_retries() {
            arguments.set_item("max_retries", number)?;
        }
        if let Some(timeout) = self.timeout() {
            arguments.set_item("timeout", timeout)?;
        }
        text("cookies", self.cookies())?;
        text("profile", self.profile())?;
        if !self.profile_pass().is_empty() {
            arguments.set_item("profile_pass", self.profile_pass())?;
        }
        text("ua", self.ua())?;
        if self.no_bancheck() {
            arguments.set_item("no_bancheck", true)?;
        }
        text("region", self.region())?;
        text("state", self.state())?;
        text("city", self.city())?;
        text("job_id", self.job_id())?;
        text("client", self.client())?;
        if !self.debug().is_empty() {
            arguments.set_item("debug", self.debug())?;
        }
        if self.use_https() {
            arguments.set_item("use_https", true)?;
        }
        if !self.extra().is_empty() {
            arguments.set_item("extra", self.extra())?;
        }
        Ok(arguments)
    }
}
