//! Retries beside another pipeline: what ends both, and who decides.

use super::*;

/// Two pipelines whose starts are retried once: the gate, once both runs are known by the ids that the service gave.
struct Two {
    gate: Gate,
    now: Duration,
    events: Vec<TimedEvent>,
}

impl Two {
    fn started(on_first_failure: OnFirstFailure) -> Two {
        let rules = Rules { on_first_failure, ..world(1, &[fails()]).rules() };
        let start = |id| Wanted::Start { pipeline: PipelineId::new(id).expect("an id"), if_running: IfRunning::Queue };
        let gate = Gate::new(rules, [start("p"), start("q")]);
        let mut two = Two { gate, now: Duration::ZERO, events: Vec::new() };
        for run in [0, 1] {
            two.hear(run, list(&[listed("old", 1, "SUCCESS")]));
            two.hear(run, ApiResponse::Execute(TriggerResponse::Accepted(Some(Untrusted::new("ours"))), None));
        }
        two
    }

    /// A second later the gate asks about a run, and this is the answer.
    fn hear(&mut self, run: usize, response: ApiResponse) {
        self.now += SECOND;
        self.gate.ask(run, self.now, &mut self.events).expect("a request");
        self.gate.observe(run, self.now, response, &mut self.events);
        self.gate.take_moved();
    }

    fn ends(&self) -> Vec<(End, bool, Option<NoRetry>)> {
        let runs = self.gate.clone().outcome().runs;
        runs.into_iter().map(|run| (run.end, run.is_retried, run.no_retry)).collect()
    }
}

fn list(runs: &[ListedRun]) -> ApiResponse {
    let observation = Observation::Record(RunList { runs: runs.to_vec() });
    ApiResponse::List(Answer { observation, retry_after: None, date: Some(date(1000)) })
}

fn says(pipeline: &str, word: &str) -> ApiResponse {
    let observation = Observation::Record(Record::bare(pipeline, "ours", word));
    ApiResponse::Run(Answer { observation, retry_after: None, date: None })
}

#[test]
fn fail_fast_waits_for_the_last_attempt_and_then_retries_nothing_else() {
    let failed = End::Verdict(Verdict::Failed);
    // The first has failed, and its list is not read yet: the other one, cancelled, ends all.
    let mut two = Two::started(OnFirstFailure::StopWaiting);
    two.hear(0, says("p", "FAILED"));
    assert!(!two.gate.is_over());
    two.hear(1, says("q", "CANCELLED"));
    let why = Some(NoRetry::NotPlainlyFailed);
    assert_eq!(two.ends(), [(failed, false, Some(NoRetry::FailFast)), (failed, false, why.clone())]);
    // The first is retried: that ends nobody's wait. When the other one ends it all, the second attempt is given up.
    let mut two = Two::started(OnFirstFailure::StopWaiting);
    two.hear(0, says("p", "FAILED"));
    two.hear(0, list(&[listed("old", 1, "SUCCESS"), listed("ours", 1001, "FAILED")]));
    assert_eq!((two.gate.is_over(), two.gate.progress()), (false, (2, 2)));
    two.hear(1, says("q", "CANCELLED"));
    assert_eq!(two.ends(), [(failed, true, None), (failed, false, why), (End::NotWaited, false, None)]);
    assert_eq!(two.gate.ask(2, two.now + SECOND, &mut two.events), None, "it is not started any more");
}

#[test]
fn between_pipelines_the_worst_decides_and_within_one_the_last_attempt() {
    let mut two = Two::started(OnFirstFailure::WaitForAll);
    two.hear(0, says("p", "FAILED"));
    two.hear(0, list(&[listed("ours", 1001, "FAILED")]));
    two.hear(1, says("q", "SUCCESS"));
    assert!(!two.gate.is_over());
    let accepted = ApiResponse::Execute(TriggerResponse::Accepted(Some(Untrusted::new("again"))), None);
    two.hear(2, accepted);
    let mut passed = two.clone_gate();
    let again = |word: &str| {
        let ApiResponse::Run(mut answer) = says("p", word) else { panic!("a run") };
        if let Observation::Record(record) = &mut answer.observation {
            record.run_id = Untrusted::new("again");
        }
        ApiResponse::Run(answer)
    };
    passed.hear(2, again("SUCCESS"));
    assert_eq!((passed.gate.is_over(), passed.gate.outcome().verdict), (true, Verdict::Passed));
    two.hear(2, again("FAILED"));
    assert_eq!((two.gate.is_over(), two.gate.outcome().verdict), (true, Verdict::Failed));
}

impl Two {
    fn clone_gate(&self) -> Two {
        Two { gate: self.gate.clone(), now: self.now, events: Vec::new() }
    }
}

#[test]
fn a_refused_sign_in_leaves_a_failed_run_failed() {
    let mut two = Two::started(OnFirstFailure::WaitForAll);
    two.hear(0, says("p", "FAILED"));
    let refused = Failure { during: Operation::SignIn, kind: FailureKind::Http(403), detail: None };
    for _ in 0..70 {
        if !two.gate.is_over() {
            let denied = Observation::Missing(Effect::Denied(Scope::SignIn), refused.clone());
            two.hear(0, ApiResponse::List(Answer { observation: denied, retry_after: None, date: None }));
        }
    }
    let why = Some(NoRetry::NoList(Some(refused)));
    assert_eq!(two.ends(), [(End::Verdict(Verdict::Failed), false, why), (End::Verdict(Verdict::Denied), false, None)]);
}

#[test]
fn a_retry_that_is_put_off_is_not_made_once_another_run_has_begun() {
    let mut two = Two::started(OnFirstFailure::WaitForAll);
    two.hear(1, says("q", "SUCCESS"));
    two.hear(0, says("p", "FAILED"));
    two.hear(0, list(&[listed("ours", 1001, "FAILED")]));
    let put_off = Failure { during: Operation::Execute, kind: FailureKind::Http(429), detail: None };
    two.hear(2, ApiResponse::Execute(TriggerResponse::Missing(TriggerEffect::NotExecuted, put_off), None));
    two.hear(2, list(&[listed("ours", 1001, "FAILED"), listed("stranger", 1005, "RUNNING")]));
    assert_eq!((two.gate.is_over(), two.gate.clone().outcome().verdict), (true, Verdict::NotStarted));
    let kind = two.gate.outcome().runs.remove(2).failure.map(|failure| failure.kind);
    assert_eq!(kind, Some(FailureKind::AlreadyGoing));
}
