//! maestro-gate: waits for Dadosfera Maestro pipeline runs and turns what it saw into an exit code, outputs and a report.
//!
//! The path, each step a type made once and handed on:
//!
//! ```text
//! Inputs -> Config -> poll loop ( Observation -> Step )* -> Verdict -> Report -> Documents
//! ```
//!
//! `app` shows it on one screen; ARCHITECTURE.md says what each module may do, and what none may.

#![cfg_attr(
    not(test),
    warn(
        // A number from outside that doesn't fit is a case to decide, not to cut off.
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        // A new verdict, status or CI must be met at every place that tells them apart.
        clippy::wildcard_enum_match_arm,
    )
)]

pub mod api;
pub mod app;
pub mod blocking;
pub mod clock;
pub mod config;
pub mod console;
pub mod core;
pub mod doctor;
pub mod finalize;
pub mod input_files;
pub mod inputs;
pub mod logs;
pub mod memory;
pub mod output;
pub mod panic_hook;
pub mod poll_loop;
pub mod progress;
pub mod report;
pub mod wait_for_runs;
