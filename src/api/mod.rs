//! The Maestro service: asks it, signs in to it, and turns every answer and every fault into an observation.
//!
//! `client` has one method per endpoint, `wire` is JSON as sent, `miss` THE failure table, `session` the sign-in and its
//! renewal, `transport` one HTTP request with its limits, `trust` the certificates it accepts, `dns` the addresses of a
//! name, `tunnel` what a proxy answers. Nothing here decides how long to wait for a run, and nothing but `wire` knows the
//! server's JSON.

mod client;
mod dns;
mod logs;
mod miss;
mod redactor;
mod secret;
mod session;
mod stamps;
mod transport;
mod trust;
mod tunnel;
pub mod wire;

#[cfg(test)]
mod frames;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod server;

pub use client::{Client, Refusals};
pub use redactor::Redactor;
pub use transport::SetupError;
pub use wire::PipelineState;
