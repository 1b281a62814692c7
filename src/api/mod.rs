//! The Maestro service: asks it, signs in to it, and turns every answer and every fault into an observation.
//!
//! `client` has one method per endpoint, `model` is JSON as sent, `failure` THE failure table, `session` the sign-in and its
//! renewal, `transport` one HTTP request with its limits, `trust` the certificates it accepts, `dns` the addresses of a
//! name, `tunnel` what a proxy answers. Nothing here decides how long to wait for a run, and nothing but `model` knows the
//! server's JSON.

mod access_token;
mod client;
mod dns;
mod error_body;
mod failure;
mod log_lines;
pub mod model;
mod redactor;
mod session;
mod setup_error;
mod timing_headers;
mod transport;
mod trust;
mod tunnel;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use client::{AuthRetryState, Client};
pub use setup_error::SetupError;
