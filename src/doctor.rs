//! `maestro-gate doctor`: looks at everything that a gate with these inputs would need, and starts nothing.
//!
//! Each request is made once. The row of the table in which its trouble stands is told by what kind of trouble it is; what
//! comes before it in the gate's way has worked. Trouble is what would keep the gate from a pass, and what it would only
//! warn about and somebody should fix before: a report that can't be written, a token that ends before `timeout` does.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::{AuthRetryState, Client};
use crate::config::{Config, Credentials, InputError, Warning};
use crate::core::{
    Answer, Effect, Failure, FailureKind, LastRecord, Operation, PipelineDetails, PipelineId, Rules, RunList, Selector,
    Signal, Target, Untrusted, Verdict, Wanted, choose,
};
use crate::finalize::Finalizer;
use crate::report::checkup::{Check, CheckState, Checkup};
use crate::report::messages;
use crate::report::sanitize::{Sanitized, Sanitizer};

mod fresh_check;
mod route_checks;
mod start_check;

use route_checks::on_the_way;

/// For one request, redirects and a renewal included: a little more than the client gives itself.
const REQUEST: Duration = Duration::from_secs(65);

/// From how far on clocks that are apart are worth a word; one-time codes are made for 30 s.
const APART: TimeDelta = TimeDelta::seconds(30);

/// Makes all checks.
pub async fn examine(config: Config, warnings: &[Warning], finalizer: &mut Finalizer) -> Checkup {
    let mut checks = inputs(&[], warnings, &finalizer.sanitizer);
    checks.push(Check::fine("inputs", "no mistake"));
    checks.extend(files(finalizer).await);
    checks.extend(service(config, finalizer).await);
    // What was not looked at is not known to be fine.
    checks.extend(finalizer.grace_period.first_signal().map(stopped));
    Checkup { checks }
}

/// The inputs are wrong, so that there is nothing else to look at.
pub fn mistaken(input_errors: &[InputError], warnings: &[Warning], sanitizer: &Sanitizer) -> Checkup {
    Checkup { checks: inputs(input_errors, warnings, sanitizer) }
}

/// A signal came before there was anything to look at.
pub fn interrupted(by: Signal) -> Checkup {
    Checkup { checks: vec![stopped(by)] }
}

fn stopped(by: Signal) -> Check {
    let text = format!("stopped by {}: what is not listed here was not checked", messages::signal(by));
    Check::trouble("signal", Verdict::Interrupted(by), text).to_do("run doctor again")
}

/// What is said about the inputs.
fn inputs(errors: &[InputError], warnings: &[Warning], sanitizer: &Sanitizer) -> Vec<Check> {
    let show = |text: &Untrusted| sanitizer.line(text, usize::MAX).to_string();
    let notes = warnings.iter().map(|warning| (CheckState::Note, warning.sentence(show)));
    let wrong = CheckState::Trouble(Verdict::InvalidInput);
    let sentences = notes.chain(errors.iter().map(|error| (wrong, error.sentence(show))));
    sentences.map(|(state, text)| Check::new("inputs", state, show(&Untrusted::new(text)))).collect()
}

/// Where reports go.
async fn files(finalizer: &mut Finalizer) -> Vec<Check> {
    let tried = finalizer.try_out().await;
    if tried.is_empty() {
        return vec![Check::fine("files", "no report goes to a file")];
    }
    let check = |(name, problem): (String, Option<String>)| match problem {
        None => Check::fine("files", format!("{name} can be written")),
        // The gate warns, and its verdict stands; for who asks beforehand it is something to fix.
        Some(problem) => Check::trouble("files", Verdict::InvalidInput, problem)
            .to_do("give another path, or let this user write there"),
    };
    tried.into_iter().map(check).collect()
}

/// The service, and what is wanted of it.
async fn service(config: Config, finalizer: &mut Finalizer) -> Vec<Check> {
    let Config { wanted, rules, service, .. } = config;
    let is_plain = service.base.scheme() == "http";
    let makes_codes = matches!(service.credentials, Credentials::Password { totp_secret: Some(_), .. });
    let renews = matches!(service.credentials, Credentials::Password { .. } | Credentials::TokenFile { .. });
    let client = match Client::new(service, finalizer.clock, Rc::new(finalizer.sanitizer.clone())) {
        Ok(client) => client,
        Err(error) => return vec![Check::trouble("connection", Verdict::InternalError, error.to_string())],
    };
    let (client, checks, lists) = (&client, Vec::new(), HashMap::new());
    let mut service =
        ServiceChecks { finalizer, client, rules, is_plain, makes_codes, renews, checks, reached: false, lists };
    for wanted in &wanted {
        service.wanted(wanted).await;
    }
    for pipeline in wanted.iter().map(Wanted::pipeline) {
        service.past_runs(pipeline).await;
    }
    service.checks
}

/// The service, as far as it has been asked.
struct ServiceChecks<'e> {
    finalizer: &'e mut Finalizer,
    client: &'e Client,
    rules: Rules,
    /// Whether requests go over plain http.
    is_plain: bool,
    makes_codes: bool,
    /// Whether the gate gets a new token by itself.
    renews: bool,
    checks: Vec<Check>,
    /// Whether an answer has come through: then the way there is fine.
    reached: bool,
    /// The pipelines whose lists were asked for, each once, and what came.
    lists: HashMap<PipelineId, Option<Rc<DatedList>>>,
}

/// A pipeline's runs, and the service's clock when it listed them.
struct DatedList {
    listing: RunList,
    date: Option<DateTime<Utc>>,
}

/// What was asked for, or how the gate would end without it.
type Found<T> = Result<T, (Verdict, Failure)>;

impl ServiceChecks<'_> {
    /// As the gate does, which reads no list before it looks at a run that is named.
    async fn wanted(&mut self, wanted: &Wanted) {
        match wanted {
            Wanted::Run(target) => self.run(target, None).await,
            Wanted::Choice { pipeline, selector } => {
                if let Some(list) = self.needed_list(pipeline).await {
                    self.choice(pipeline, *selector, &list).await;
                }
            }
            Wanted::Start { pipeline, if_running } => {
                if let Some(list) = self.needed_list(pipeline).await {
                    self.start(pipeline, *if_running, &list).await;
                }
            }
        }
    }

    /// The list to choose a run from, or to know one that was started by: without it the gate gets nowhere.
    async fn needed_list(&mut self, pipeline: &PipelineId) -> Option<Rc<DatedList>> {
        if !self.lists.contains_key(pipeline) {
            let list = match self.list(pipeline).await {
                Some(Err((verdict, failure))) => {
                    let shown = self.id(pipeline.as_str());
                    self.checks.push(self.failed_check("pipeline", verdict, &failure, &shown));
                    None
                }
                found => found.and_then(Result::ok).map(Rc::new),
            };
            self.lists.insert(pipeline.clone(), list);
        }
        self.lists.get(pipeline).cloned().flatten().filter(|_| self.goes_on())
    }

    /// The list by which the gate knows how such runs usually go, if it was not read before.
    async fn past_runs(&mut self, pipeline: &PipelineId) {
        if self.lists.contains_key(pipeline) {
            return;
        }
        if let Some(Err((_, failure))) = self.list(pipeline).await {
            let (shown, why) = (self.id(pipeline.as_str()), self.failure(&failure));
            let text = format!("{shown}: {why}; the gate does without, and learns nothing from past runs");
            self.checks.push(Check::note("pipeline", text));
        }
        self.lists.insert(pipeline.clone(), None);
    }

    async fn list(&mut self, pipeline: &PipelineId) -> Option<Found<DatedList>> {
        let (found, date) = self.ask(Box::pin(self.client.list(pipeline, &mut AuthRetryState::default()))).await?;
        if let Ok(listing) = &found {
            let runs = messages::count(listing.runs.len(), "run", "runs");
            self.checks.push(Check::fine("pipeline", format!("{}: {runs}", self.id(pipeline.as_str()))));
        }
        Some(found.map(|listing| DatedList { listing, date }))
    }

    /// A run that has to be chosen.
    async fn choice(&mut self, pipeline: &PipelineId, selector: Selector, list: &DatedList) {
        match choose(selector, &list.listing, &self.rules.vocabulary).map(|choice| choice.run) {
            Err(_) => self.unusable(FailureKind::Unplaceable),
            Ok(Some(run)) => self.run(&Target { pipeline: pipeline.clone(), run }, Some(selector)).await,
            Ok(None) => match self.would_wait(Some(selector)) {
                Some(would_wait) => {
                    self.checks.push(Check::note("run", format!("{}: none yet; {would_wait}", selector.name())));
                    self.next_run(pipeline).await;
                }
                None => {
                    let failure = Failure::new(Operation::List, FailureKind::NotListed);
                    self.checks.push(self.failed_check("run", Verdict::NotFound, &failure, selector.name()));
                }
            },
        }
    }

    /// A run, and how it was chosen if it was not named.
    async fn run(&mut self, target: &Target, chosen: Option<Selector>) {
        let asked = self.ask(Box::pin(self.client.poll(target, &mut AuthRetryState::default()))).await;
        let Some((found, date)) = asked else { return };
        let shown = self.id(target.run.as_str());
        match found {
            Ok(record) => {
                let word = messages::word(&record.status, &self.finalizer.sanitizer);
                self.checks.push(Check::fine("run", format!("{shown}: visible, status {word}")));
                let meaning = record.meaning(&self.rules.vocabulary);
                let seen = LastRecord { record, meaning, date, at: self.finalizer.clock.elapsed() };
                self.freshness(&target.pipeline, chosen, &seen).await;
            }
            Err((verdict, failure)) => self.checks.push(self.failed_check("run", verdict, &failure, &shown)),
        }
    }

    async fn details(&mut self, pipeline: &PipelineId) -> Option<Found<PipelineDetails>> {
        let asked = self.ask(Box::pin(self.client.details(pipeline, &mut AuthRetryState::default()))).await;
        asked.map(|(found, _)| found)
    }

    /// What came of a request, and the service's clock by then. The request is boxed: its future is large, and stands in
    /// those of all its callers. `None`: it was not made, or got nowhere, and a row says why.
    async fn ask<T>(&mut self, request: impl Future<Output = Answer<T>>) -> Option<(Found<T>, Option<DateTime<Utc>>)> {
        if !self.goes_on() {
            return None;
        }
        let Some(Answer { observation, date, .. }) = self.finalizer.wait(request, REQUEST).await else {
            let verdict = self.finalizer.grace_period.first_signal().map_or(Verdict::Unreachable, Verdict::Interrupted);
            self.checks.push(Check::trouble("connection", verdict, "no answer came in time"));
            return None;
        };
        let found = observation.record().map_err(|(effect, failure)| match effect {
            Effect::NotVisible => (Verdict::NotFound, failure),
            Effect::Denied(_) => (Verdict::Denied, failure),
            Effect::Unreachable | Effect::Unusable => (Verdict::Unreachable, failure),
        });
        if !self.reached {
            let missed = found.as_ref().err();
            let stopped = missed.and_then(|(verdict, failure)| Some((on_the_way(failure)?, *verdict, failure)));
            self.way(stopped);
            if stopped.is_some() {
                return None;
            }
            self.reached = true;
            self.clock(date);
            self.token(date);
        }
        Some((found, date))
    }

    /// Whether there is any use in asking further.
    fn goes_on(&self) -> bool {
        self.finalizer.grace_period.first_signal().is_none() && (self.reached || self.checks.is_empty())
    }

    fn clock(&mut self, date: Option<DateTime<Utc>>) {
        let check = match date.map(|date| (self.finalizer.clock.utc() - date).abs()) {
            None => Check::note("clock", "the answer had no date: max-age, started-after and trigger need one"),
            Some(apart) => {
                let length = messages::duration(apart.to_std().unwrap_or_default());
                let text = format!("this machine's and the service's are {length} apart");
                match apart <= APART {
                    true => Check::fine("clock", text),
                    false => Check::new("clock", trouble_if(self.makes_codes), text).to_do(
                        "set this machine's clock; one-time codes are made by it, max-age goes by the service's",
                    ),
                }
            }
        };
        self.checks.push(check);
    }

    /// By the service's clock, where its answer tells: that is the one that ends the token.
    fn token(&mut self, date: Option<DateTime<Utc>>) {
        let timeout = self.rules.limits.timeout;
        let needed = messages::duration(timeout);
        let now = date.unwrap_or_else(|| self.finalizer.clock.utc());
        let left = |ends: DateTime<Utc>| (ends - now).to_std().unwrap_or_default();
        let check = match self.client.token_ends().map(left) {
            None if self.renews => Check::fine("token", "renewed by itself"),
            None => Check::note("token", "it does not say when it ends"),
            Some(left) if left >= timeout => {
                Check::fine("token", format!("good for {}, timeout is {needed}", messages::duration(left)))
            }
            Some(left) => {
                let text = format!("it ends in {}, but the wait may take {needed}", messages::duration(left));
                // Another program may renew the file, and the run may end sooner: the gate would only warn.
                Check::new("token", trouble_if(!self.renews), text)
                    .to_do("sign in with username and password, which the gate renews by itself; or lower timeout")
            }
        };
        self.checks.push(check);
    }

    /// The list can't serve for what is wanted of it.
    fn unusable(&mut self, kind: FailureKind) {
        let failure = Failure::new(Operation::List, kind);
        self.checks.push(self.failed_check("run", Verdict::Unreachable, &failure, ""));
    }

    fn failed_check(&self, name: &'static str, verdict: Verdict, failure: &Failure, whose: &str) -> Check {
        let gap = if whose.is_empty() { "" } else { ": " };
        Check::trouble(name, verdict, format!("{whose}{gap}{}", self.failure(failure))).to_do(messages::remedy(failure))
    }

    fn failure(&self, failure: &Failure) -> Sanitized {
        messages::failure(failure, &self.finalizer.sanitizer)
    }

    fn id(&self, text: &str) -> Sanitized {
        messages::id(text, &self.finalizer.sanitizer)
    }
}

/// The gate would be denied, if that is so; else it is worth knowing.
fn trouble_if(is_denied: bool) -> CheckState {
    if is_denied { CheckState::Trouble(Verdict::Denied) } else { CheckState::Note }
}
