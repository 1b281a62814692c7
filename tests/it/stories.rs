//! Stories of the whole gate, one file per promise: the real binary, real sockets, real signals.

mod bugs;
mod destinations;
mod hostile_service;
mod killed;
mod logs;
mod proxies;
mod refused;
mod runs;
mod signals;
mod stdout;
mod tokens;
