//! `maestro-gate doctor`: looks at everything that a gate with these inputs would need, and starts nothing.
//!
//! Each request is made once. The row of the table in which its trouble stands is told by what kind of trouble it is; what
//! comes before it in the gate's way has worked. Trouble is what would keep the gate from a pass, and what it would only
//! warn about and somebody should fix before: a report that can't be written, a token that ends before `timeout` does.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::{AuthRetryState, Client};
use crate::config::{Config, Credentials, InputError, Warning};
use crate::core::{
    Answer, Effect, Failure, FailureKind, Freshness, IfStale, LastRecord, Operation, PipelineId, RunList, Signal,
    Target, Untrusted, Verdict, Vocabulary, Wanted, choose,
};
use crate::finalize::Finalizer;
use crate::report::checkup::{Check, CheckState, Checkup};
use crate::report::messages;
use crate::report::sanitize::Sanitizer;

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
    let mut checks = warned(warnings, &finalizer.sanitizer);
    checks.push(Check::fine("inputs", "no mistake"));
    checks.extend(files(finalizer).await);
    checks.extend(ServiceChecks::examined(config, finalizer).await);
    // What was not looked at is not known to be fine.
    checks.extend(finalizer.grace_period.first_signal().map(stopped));
    Checkup { checks }
}

/// The inputs are wrong, so that there is nothing else to look at.
pub fn mistaken(input_errors: &[InputError], warnings: &[Warning], sanitizer: &Sanitizer) -> Checkup {
    let (mut checks, show) = (warned(warnings, sanitizer), shown(sanitizer));
    let wrong = CheckState::Trouble(Verdict::InvalidInput);
    checks.extend(input_errors.iter().map(|error| input(wrong, error.sentence(&show), sanitizer)));
    Checkup { checks }
}

fn warned(warnings: &[Warning], sanitizer: &Sanitizer) -> Vec<Check> {
    let show = shown(sanitizer);
    warnings.iter().map(|warning| input(CheckState::Note, warning.sentence(&show), sanitizer)).collect()
}

/// What was given, as a sentence may show it.
fn shown(sanitizer: &Sanitizer) -> impl Fn(&Untrusted) -> String {
    move |text| sanitizer.line(text, usize::MAX).to_string()
}

fn input(state: CheckState, sentence: String, sanitizer: &Sanitizer) -> Check {
    Check::new("inputs", state, shown(sanitizer)(&Untrusted::new(sentence)))
}

/// A signal came before there was anything to look at.
pub fn interrupted(by: Signal) -> Checkup {
    Checkup { checks: vec![stopped(by)] }
}

fn stopped(by: Signal) -> Check {
    let text = format!("stopped by {}: what is not listed here was not checked", messages::signal(by));
    Check::trouble("signal", Verdict::Interrupted(by), text).to_do("run doctor again")
}

/// Where reports go.
async fn files(finalizer: &mut Finalizer) -> Vec<Check> {
    let tried = finalizer.try_out().await;
    if tried.is_empty() {
        return vec![Check::fine("files", "no report goes to a file")];
    }
    let check = |(name, failed_check): (String, Option<String>)| match failed_check {
        None => Check::fine("files", format!("{name} can be written")),
        // The gate warns, and its verdict stands; for who asks beforehand it is something to fix.
        Some(failed_check) => Check::trouble("files", Verdict::InvalidInput, failed_check)
            .to_do("give another path, or let this user write there"),
    };
    tried.into_iter().map(check).collect()
}

/// The service, as far as it has been asked.
struct ServiceChecks<'e> {
    finalizer: &'e mut Finalizer,
    sanitizer: Sanitizer,
    checks: Vec<Check>,
    /// Whether an answer has come through: then the way there is fine.
    reached: bool,
    vocabulary: Vocabulary,
    config: ConfigFacts,
}

/// A pipeline's runs, and the service's clock when it listed them.
struct ListCheck {
    listing: RunList,
    date: Option<DateTime<Utc>>,
}

/// What a list is for.
#[derive(Clone, Copy, Debug)]
enum ListUse {
    /// To choose a run, or to know one that was started: without it the gate gets nowhere.
    ToGoOn,
    /// To know how such runs usually go.
    ToLearn,
}

/// What is needed of the config.
struct ConfigFacts {
    timeout: Duration,
    freshness: Freshness,
    if_stale: IfStale,
    is_plain: bool,
    makes_codes: bool,
    renews: bool,
}

impl<'e> ServiceChecks<'e> {
    async fn examined(config: Config, finalizer: &'e mut Finalizer) -> Vec<Check> {
        let Config { wanted, rules, service, .. } = config;
        let facts = ConfigFacts {
            timeout: rules.limits.timeout,
            freshness: rules.freshness,
            if_stale: rules.if_stale,
            is_plain: service.base.scheme() == "http",
            makes_codes: matches!(service.credentials, Credentials::Password { totp_secret: Some(_), .. }),
            renews: matches!(service.credentials, Credentials::Password { .. } | Credentials::TokenFile { .. }),
        };
        let sanitizer = finalizer.sanitizer.clone();
        let mut this = ServiceChecks {
            finalizer,
            sanitizer,
            checks: Vec::new(),
            reached: false,
            vocabulary: rules.vocabulary,
            config: facts,
        };
        let client = match Client::new(service, this.finalizer.clock, Rc::new(this.sanitizer.clone())) {
            Ok(client) => client,
            Err(error) => return vec![Check::trouble("connection", Verdict::InternalError, error.to_string())],
        };
        let mut lists: Vec<(PipelineId, Option<ListCheck>)> = Vec::new();
        for wanted in &wanted {
            if !this.goes_on() {
                break;
            }
            // As the gate does, which reads no list before it looks at a run that is named.
            if let Wanted::Run(target) = wanted {
                this.run(&client, wanted, target).await;
                continue;
            }
            let pipeline = wanted.pipeline();
            if !lists.iter().any(|(known, _)| known == pipeline) {
                let list = this.list(&client, pipeline, ListUse::ToGoOn).await;
                lists.push((pipeline.clone(), list));
            }
            let list = lists.iter().find(|(known, _)| known == pipeline).and_then(|(_, list)| list.as_ref());
            if let Some(list) = list.filter(|_| this.goes_on()) {
                this.unnamed(&client, wanted, list).await;
            }
        }
        for pipeline in wanted.iter().map(Wanted::pipeline) {
            if this.goes_on() && !lists.iter().any(|(known, _)| known == pipeline) {
                let list = this.list(&client, pipeline, ListUse::ToLearn).await;
                lists.push((pipeline.clone(), list));
            }
        }
        this.checks
    }

    /// Whether there is any use in asking further.
    fn goes_on(&self) -> bool {
        self.finalizer.grace_period.first_signal().is_none() && (self.reached || self.checks.is_empty())
    }

    async fn list(&mut self, client: &Client, pipeline: &PipelineId, need: ListUse) -> Option<ListCheck> {
        let answer = self.asked(Box::pin(client.list(pipeline, &mut AuthRetryState::default()))).await?;
        let date = answer.date;
        let shown = self.id(pipeline.as_str());
        let read = read(answer);
        if !self.arrives(client, date, read.as_ref().err()) {
            return None;
        }
        let (list, check) = match (read, need) {
            (Ok(listing), _) => {
                let runs = messages::count(listing.runs.len(), "run", "runs");
                (Some(ListCheck { listing, date }), Check::fine("pipeline", format!("{shown}: {runs}")))
            }
            (Err((verdict, failure)), ListUse::ToGoOn) => {
                (None, self.failed_check("pipeline", verdict, &failure, &shown))
            }
            (Err((_, failure)), ListUse::ToLearn) => {
                let why = messages::failure(&failure, &self.sanitizer);
                let text = format!("{shown}: {why}; the gate does without, and learns nothing from past runs");
                (None, Check::note("pipeline", text))
            }
        };
        self.checks.push(check);
        list
    }

    /// What the first answer says about the way to the service. Whether it is an answer of the
    /// service's own.
    fn arrives(&mut self, client: &Client, date: Option<DateTime<Utc>>, missed: Option<&(Verdict, Failure)>) -> bool {
        if self.reached {
            return true;
        }
        if let Some((verdict, failure)) = missed
            && let Some(at) = on_the_way(failure)
        {
            self.way(client, Some((at, *verdict, failure)));
            return false;
        }
        self.reached = true;
        self.way(client, None);
        self.clock(date);
        self.token(client, date);
        true
    }

    /// A run that has to be chosen or started.
    async fn unnamed(&mut self, client: &Client, wanted: &Wanted, list: &ListCheck) {
        match wanted {
            Wanted::Run(target) => self.run(client, wanted, target).await,
            Wanted::Start { pipeline, if_running } => self.start(client, pipeline, *if_running, list).await,
            Wanted::Choice { pipeline, selector } => {
                match choose(*selector, &list.listing, &self.vocabulary).map(|choice| choice.run) {
                    Err(_) => self.unusable(FailureKind::Unplaceable),
                    Ok(Some(run)) => self.run(client, wanted, &Target { pipeline: pipeline.clone(), run }).await,
                    Ok(None) if self.awaits_a_first_run(client, wanted).await => {}
                    Ok(None) => {
                        let failure = Failure::new(Operation::List, FailureKind::NotListed);
                        self.checks.push(self.failed_check("run", Verdict::NotFound, &failure, selector.name()));
                    }
                }
            }
        }
    }

    /// `wanted` is what the run was asked for as.
    async fn run(&mut self, client: &Client, wanted: &Wanted, target: &Target) {
        let mut row = AuthRetryState::default();
        let Some(answer) = self.asked(Box::pin(client.poll(target, &mut row))).await else { return };
        let date = answer.date;
        let shown = self.id(target.run.as_str());
        let read = read(answer);
        if !self.arrives(client, date, read.as_ref().err()) {
            return;
        }
        match read {
            Ok(record) => {
                let word = messages::word(&record.status, &self.sanitizer);
                self.checks.push(Check::fine("run", format!("{shown}: visible, status {word}")));
                let meaning = record.meaning(&self.vocabulary);
                let seen = LastRecord { record, meaning, date, at: self.finalizer.clock.elapsed() };
                self.freshness(client, wanted, &seen).await;
            }
            Err((verdict, failure)) => self.checks.push(self.failed_check("run", verdict, &failure, &shown)),
        }
    }

    /// What came of a request, which is boxed: its future is large, and stands in those of all its callers. `None`: a signal
    /// came before an answer.
    async fn asked<T>(&mut self, request: impl Future<Output = Answer<T>>) -> Option<Answer<T>> {
        let asked = self.finalizer.wait(request, REQUEST).await;
        if asked.is_none() {
            let verdict = self.finalizer.grace_period.first_signal().map_or(Verdict::Unreachable, Verdict::Interrupted);
            self.checks.push(Check::trouble("connection", verdict, "no answer came in time"));
        }
        asked
    }

    /// The rows of the way to the service: all fine, or fine up to where the trouble is.
    fn clock(&mut self, date: Option<DateTime<Utc>>) {
        let Some(date) = date else {
            self.checks
                .push(Check::note("clock", "the answer had no date: max-age, started-after and trigger need one"));
            return;
        };
        let apart = (self.finalizer.clock.utc() - date).abs();
        let length = messages::duration(apart.to_std().unwrap_or_default());
        let check = if apart <= APART {
            Check::fine("clock", format!("this machine's and the service's are {length} apart"))
        } else {
            let state = if self.config.makes_codes { CheckState::Trouble(Verdict::Denied) } else { CheckState::Note };
            Check::new("clock", state, format!("this machine's and the service's are {length} apart"))
                .to_do("set this machine's clock; one-time codes are made by it, max-age goes by the service's")
        };
        self.checks.push(check);
    }

    /// By the service's clock, where its answer tells: that is the one that ends the token.
    fn token(&mut self, client: &Client, date: Option<DateTime<Utc>>) {
        let needed = messages::duration(self.config.timeout);
        let now = date.unwrap_or_else(|| self.finalizer.clock.utc());
        let left = |ends: DateTime<Utc>| (ends - now).to_std().unwrap_or_default();
        let check = match client.token_ends().map(left) {
            None if self.config.renews => Check::fine("token", "renewed by itself"),
            None => Check::note("token", "it does not say when it ends"),
            Some(left) if left >= self.config.timeout => {
                Check::fine("token", format!("good for {}, timeout is {needed}", messages::duration(left)))
            }
            Some(left) => {
                let text = format!("it ends in {}, but the wait may take {needed}", messages::duration(left));
                // Another program may renew the file, and the run may end sooner: the gate would only warn.
                let state = if self.config.renews { CheckState::Note } else { CheckState::Trouble(Verdict::Denied) };
                Check::new("token", state, text)
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
        let whose = if whose.is_empty() { String::new() } else { format!("{whose}: ") };
        Check::trouble(name, verdict, format!("{whose}{}", messages::failure(failure, &self.sanitizer)))
            .to_do(messages::remedy(failure))
    }

    fn id(&self, text: &str) -> String {
        self.sanitizer.id(&Untrusted::new(text)).to_string()
    }
}

/// What was asked for, or how the gate would end without it.
fn read<T>(answer: Answer<T>) -> Result<T, (Verdict, Failure)> {
    answer.observation.record().map_err(|(effect, failure)| match effect {
        Effect::NotVisible => (Verdict::NotFound, failure),
        Effect::Denied(_) => (Verdict::Denied, failure),
        Effect::Unreachable | Effect::Unusable => (Verdict::Unreachable, failure),
    })
}
