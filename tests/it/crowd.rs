//! A thousand runs of ten pipelines in one gate: what they take of this machine, and that the lists are read.
//!
//! How many requests they cost is a claim of the core, where no machine is too slow for it (`src/core/monitor/tests/shared_lists.rs`);
//! real rates are measured by `bench/scale.py`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Story, scenario};
use crate::stand_in::{On, Reply, Service};

const PIPELINES: usize = 10;
const RUNS: usize = 100;

/// KiB.
const MEMORY: u64 = 40 * 1024;

/// For two thousand requests of a machine that has much else to do.
const HANG_TIMEOUT: Duration = Duration::from_secs(300);

/// Waits until this many different paths were requested. On a busy machine some are requested again before others are at all.
#[track_caller]
fn each_was_asked_for(service: &Service, on: On, different: usize) {
    let paths = || service.requests_to(on).into_iter().map(|seen| seen.path).collect::<BTreeSet<_>>().len();
    let all = (different..10 * different).any(|count| {
        assert!(service.wait_for(on, count, HANG_TIMEOUT), "{on:?}: {} of {different} are asked for", paths());
        paths() == different
    });
    assert!(all, "{on:?}: {} of {different} are asked for", paths());
}

#[test]
fn a_thousand_runs_of_ten_pipelines_take_forty_mebibytes_at_most() {
    let run = |pipeline: usize, run: usize| json!({"record": {"pipeline_run_id": format!("r{pipeline}_{run}"), "created_at": "begin"}});
    let pipeline = |n: usize| {
        let runs: Vec<Value> = (0..RUNS).map(|number| run(n, number)).collect();
        let history = json!({"count": 200, "newest": "1h", "every": "1h", "takes": "10m", "spread": "1m"});
        json!({"pipeline_id": format!("p{n}"), "runs": runs, "history": history})
    };
    let pipelines: Vec<Value> = (0..PIPELINES).map(pipeline).collect();
    let service = Service::start(scenario(json!({"pipelines": pipelines})));
    let ids: Vec<String> = (0..PIPELINES).flat_map(|n| (0..RUNS).map(move |run| format!("p{n}/r{n}_{run}"))).collect();
    let story = Story::at(&service).without("pipeline-id").with("run-id", ids.join(" ")).with("poll-interval", "5s");
    let live = story.with("timeout", "1h").with("fail-fast", "true").with("logs", "never").heavy().start();
    each_was_asked_for(&service, On::Run, PIPELINES * RUNS);
    each_was_asked_for(&service, On::Runs, PIPELINES);
    let memory = live.peak_memory();
    // Not by a signal: in two seconds a busy machine may not render a thousand runs.
    service.order(On::Run, Reply::run("FAILED").forever());
    live.finish().assert_ended("failed", 1);

    assert!(memory.is_none_or(|peak| peak <= MEMORY), "{memory:?} KiB");
}
