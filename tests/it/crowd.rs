//! A thousand runs of ten pipelines in one gate: what that costs the service, and this machine.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Story, scenario};
use crate::stand_in::{On, Service};

const PIPELINES: usize = 10;
const RUNS: usize = 100;

/// When one of the runs ends, in seconds; the others go on.
const END: u64 = 6;

/// KiB.
const MEMORY: u64 = 40 * 1024;

#[test]
fn a_thousand_runs_of_ten_pipelines_cost_requests_in_the_order_of_the_pipelines() {
    let run = |pipeline: usize, run: usize| {
        let record = json!({"pipeline_run_id": format!("r{pipeline}_{run}"), "created_at": "begin"});
        if (pipeline, run) == (0, 0) {
            let set = json!({"last_status": "SUCCESS", "updated_at": format!("begin+{END}s")});
            json!({"record": record, "then": [{"after": format!("{END}s"), "set": set}]})
        } else {
            json!({"record": record})
        }
    };
    let pipeline = |n: usize| {
        let runs: Vec<Value> = (0..RUNS).map(|number| run(n, number)).collect();
        let history = json!({"count": 200, "newest": "1h", "every": "1h", "takes": "10m", "spread": "1m"});
        json!({"pipeline_id": format!("p{n}"), "runs": runs, "history": history})
    };
    let pipelines: Vec<Value> = (0..PIPELINES).map(pipeline).collect();
    let service = Service::start(scenario(json!({"pipelines": pipelines})));
    let ids: Vec<String> = (0..PIPELINES).flat_map(|n| (0..RUNS).map(move |run| format!("p{n}/r{n}_{run}"))).collect();
    let story = Story::at(&service).without("pipeline-id").with("run-id", ids.join(" ")).with("poll-interval", "5s");
    // Lists that a busy machine holds up for more than a second are rightly left alone for a while, and then nothing is saved:
    // so it is about any two rounds of lists in a row, the first or a later one.
    let live = story.heavy().begun();
    let long = Duration::from_secs(30);
    assert!(service.wait_for(On::Run, PIPELINES * RUNS, long), "not all runs are looked at");
    let mut rounds = Vec::new();
    let mut is_cheap = || {
        let before = service.requests();
        let from = before.last().expect("a thousand").at;
        let lists_before = before.iter().filter(|seen| seen.on == On::Runs).count();
        assert!(service.wait_for(On::Runs, lists_before + 2 * PIPELINES, long), "the lists are not read on");
        let requests = service.requests();
        let took = requests.last().expect("a thousand").at - from;
        let looks = requests.iter().filter(|seen| seen.on == On::Run && seen.at > from).count();
        // A list every five seconds and a check every ten for each pipeline, and the one end.
        let checks = PIPELINES * (took.as_secs() as usize / 10 + 1);
        rounds.push((looks, took));
        took >= Duration::from_millis(4500) && looks <= checks + 2
    };
    let cheap = (0..5).any(|_| is_cheap());
    assert!(cheap, "{rounds:?}; plain looks would be a thousand every five seconds");
    live.says("r0_0: status SUCCESS");
    let memory = live.peak_memory();
    live.signal("TERM");
    live.ends().ended("interrupted", 143);

    assert!(memory.is_none_or(|peak| peak <= MEMORY), "{memory:?} KiB");
}
