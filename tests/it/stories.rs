//! Stories of the whole gate, one file per promise: the real binary, real sockets, real signals.

mod bugs;
mod ci_files;
mod destinations;
#[cfg(unix)]
mod frozen;
mod hostile_service;
// On Windows, the process that kills another one chooses the exit code.
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod links;
mod logs;
mod network;
mod owners;
mod proxies;
mod refused;
mod runs;
#[cfg(target_os = "linux")]
mod starved;
// Windows has none of them.
#[cfg(unix)]
mod signals;
mod stdout;
mod tokens;
