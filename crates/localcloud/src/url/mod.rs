//! Function URLs: a loopback port each, where an HTTP request becomes an event, and the answer an HTTP response.

mod answer;
mod cors;
mod event;
mod listener;
mod listeners;
mod request;
mod serve;

pub(crate) use listener::UrlListener;
pub(crate) use listeners::UrlListeners;
