//! A thousand runs of ten pipelines in one gate: what that costs the service, and this machine.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Story, scenario};
use crate::stand_in::{On, Service};

const PIPELINES: usize = 10;
const RUNS: usize = 100;

/// When one of the runs ends, in seconds; the others go on.
const END: u64 = 20;

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
    let live = story.begun();
    live.says("r0_0: status SUCCESS");
    let memory = live.peak_memory();
    let requests = service.requests();
    live.signal("TERM");
    live.ends().ended("interrupted", 143);

    // Each run has been looked at once, and what came then is a list and a check now and then. In the last eight seconds:
    let until = requests.last().expect("a thousand").at;
    let from = until - Duration::from_secs(8);
    let count = |on: On| requests.iter().filter(|seen| seen.on == on && seen.at > from).count();
    let (looks, lists) = (count(On::Run), count(On::Runs));
    // Every five seconds a list, every ten a check, and the one end; plain looks would be 1,600.
    assert!(looks <= PIPELINES * 2 + 2 && lists <= PIPELINES * 3, "{looks} looks and {lists} lists in eight seconds");
    assert!(lists >= PIPELINES, "{lists} lists in eight seconds");
    assert!(memory.is_none_or(|peak| peak <= MEMORY), "{memory:?} KiB");
}
