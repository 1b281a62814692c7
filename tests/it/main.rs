//! Claims about what the gate does, one file per promise; one binary, so that they link once.

// So that clippy takes helpers for test code too.
#![cfg(test)]
#![cfg_attr(
    not(unix),
    expect(dead_code, unused_imports, reason = "signals and pipes exist on Unix only, and so do the tests of them")
)]

mod action;
mod agreement;
mod buildkite;
mod cause;
mod choosing;
mod ci_log;
mod component;
mod contract;
mod crowd;
mod demo;
mod deployments;
mod doctor;
mod doctor_freshness;
mod faults;
mod fixture;
mod fresh_runs;
mod gitlab;
mod golden;
mod harness;
mod history;
mod hostile;
mod hostile_text;
mod junit;
mod laws;
mod limits;
mod memory;
mod other_cis;
mod outputs;
mod packages;
mod pages;
mod pipeline_details;
mod reports;
mod repository;
mod retries;
mod runner;
mod schema;
mod sentences;
mod socks;
mod standin;
mod stories;
mod threat_model;
mod triggers;
mod ways_out;

#[path = "../../examples/stand-in/service/mod.rs"]
mod stand_in;
