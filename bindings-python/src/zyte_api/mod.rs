//! `silkline::zyte_api` for Python.

pub(crate) mod items;
