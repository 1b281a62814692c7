//! What a stand-in plays: its accounts, pipelines and runs, and the script of its misbehaviour. README.md documents the JSON.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::Reply;
use super::time;

/// The scenarios that come with the stand-in, by name.
pub const READY: [(&str, &str); 9] = [
    ("documented", include_str!("../scenarios/documented.json")),
    ("flaky", include_str!("../scenarios/flaky.json")),
    ("expiring-token", include_str!("../scenarios/expiring-token.json")),
    ("mfa", include_str!("../scenarios/mfa.json")),
    ("outage", include_str!("../scenarios/outage.json")),
    ("slow", include_str!("../scenarios/slow.json")),
    ("forecast", include_str!("../scenarios/forecast.json")),
    ("fresh-data", include_str!("../scenarios/fresh-data.json")),
    ("retried", include_str!("../scenarios/retried.json")),
];

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Scenario {
    /// What it shows, for the person who starts it.
    #[serde(default)]
    pub about: String,
    /// Path before every endpoint, as a gateway may add one: `/maestro`.
    #[serde(default)]
    pub prefix: String,
    /// How many seconds of the scenario pass in a real one.
    #[serde(default = "real_time")]
    pub speed: f64,
    /// What the service's wall clock shows when it begins, with the first request; by default the machine's time.
    #[serde(default, deserialize_with = "time::maybe_moment")]
    pub starts_at: Option<DateTime<Utc>>,
    /// How far the service's wall clock is ahead.
    #[serde(default = "TimeDelta::zero", deserialize_with = "time::delta")]
    pub skew: TimeDelta,
    #[serde(default)]
    pub tls: Tls,
    /// Whether answers are compressed for who takes that, as gateways do.
    #[serde(default)]
    pub compresses: bool,
    #[serde(default)]
    pub absent: Absent,
    #[serde(default)]
    pub accounts: Vec<Account>,
    #[serde(default)]
    pub tokens: Tokens,
    #[serde(default)]
    pub pipelines: Vec<Pipeline>,
    #[serde(default)]
    pub script: Vec<Order>,
    /// Whether the script begins anew when it is through.
    #[serde(default)]
    pub script_repeats: bool,
}

fn real_time() -> f64 {
    1.0
}

impl Scenario {
    /// One of the ready scenarios.
    pub fn ready(name: &str) -> Option<Scenario> {
        let (_, json) = READY.iter().find(|(ready, _)| *ready == name)?;
        Some(Scenario::from_json(json).expect("tests read every ready scenario"))
    }

    /// The three runs of the API reference: success, failure with a trace, running without end.
    pub fn documented() -> Scenario {
        Scenario::ready("documented").expect("it is on the list above")
    }

    /// Reads a scenario file; the error says what is wrong, and where.
    pub fn from_json(json: &str) -> Result<Scenario, String> {
        let scenario: Scenario = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if !(scenario.prefix.is_empty() || scenario.prefix.starts_with('/') && !scenario.prefix.ends_with('/')) {
            return Err(format!("prefix: {:?} must begin with a slash and not end with one", scenario.prefix));
        }
        for history in scenario.pipelines.iter().filter_map(|pipeline| pipeline.history.as_ref()) {
            let longest = history
                .takes
                .iter()
                .copied()
                .fold(history.newest.max(history.every).max(history.spread), Duration::max);
            if longest.saturating_mul(history.count.max(1)) > HISTORY_LIMIT {
                return Err("history: more than a hundred years of runs".to_owned());
            }
        }
        let speed = scenario.speed;
        scenario.at_speed(speed)
    }

    /// The same, so many times as fast.
    pub fn at_speed(self, speed: f64) -> Result<Scenario, String> {
        if !time::is_speed(speed) {
            return Err(format!("speed: {speed} is not above 0 and at most 100000"));
        }
        Ok(Scenario { speed, ..self })
    }
}

/// How far back a history may go: well inside what a stamp can say.
const HISTORY_LIMIT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The certificate that the service shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Plain HTTP.
    #[default]
    Off,
    /// Right in everything, by the private CA whose PEM `Service::ca_pem` gives.
    Trusted,
    /// By another CA of the same name.
    Untrusted,
    Expired,
    WrongHost,
    /// The address says https, the server speaks plain HTTP.
    Claimed,
}

/// How "no such run" is said: the reference tells "null", the wire may show any of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    #[default]
    Null,
    Empty,
    Object,
    NotFound,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Account {
    pub username: String,
    pub password: String,
    /// Base32; with it, sign-in wants a fresh code and answers 200 without a token if there is none.
    pub totp_secret: Option<String>,
    /// The pipelines this account may see, by default all; the others answer 403.
    pub pipelines: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Tokens {
    #[serde(deserialize_with = "time::length")]
    pub life: Duration,
    pub shape: TokenShape,
    /// Whether the JWT tells `iat` and `exp`.
    pub claims: bool,
    /// Tokens made elsewhere: good for ever, for everything.
    pub accept: Vec<String>,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens { life: Duration::from_secs(30 * 60), shape: TokenShape::default(), claims: true, accept: Vec::new() }
    }
}

/// Where sign-in's answer has the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenShape {
    /// `tokens.accessToken`, as recorded.
    #[default]
    Nested,
    /// `accessToken`, as one page suggests.
    Flat,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Pipeline {
    pub pipeline_id: String,
    /// Keys of the `data` of "get pipeline": name, description, cron, jobs, ...
    #[serde(default)]
    pub details: Map<String, Value>,
    /// Execute answers 400 `PipelinePaused`.
    #[serde(default)]
    pub paused: bool,
    /// Explicit runs, oldest first.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// Ended runs before those, made by rule.
    pub history: Option<History>,
    #[serde(default)]
    pub list: List,
    /// What each execution starts; the last one is used again and again.
    #[serde(default)]
    pub executions: Vec<Run>,
    /// Whether an execution that waits for the one before it is shown already.
    #[serde(default)]
    pub shows_queued: bool,
    /// Whether the record's `pipeline_run_id` is the `run_id` that execute answered.
    #[serde(default)]
    pub shares_run_id: bool,
}

/// How the list of runs is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// As in the reference's example.
    #[default]
    NewestFirst,
    OldestFirst,
    /// This value, whatever the runs are.
    Raw(Value),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Run {
    /// The record; what it lacks of the reference's keys is filled in. `created_at` and `updated_at` may be `begin+90s`
    /// (when this run began) or `now-5s` (when it is asked for).
    pub record: Map<String, Value>,
    /// The run begins at the first look, not with the service's clock.
    pub from_first_look: bool,
    /// Not there until a change says so.
    pub hidden: bool,
    /// The answer to "get logs": a string as text, anything else as JSON.
    pub logs: Option<Value>,
    pub then: Vec<Change>,
}

/// What becomes of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Change {
    /// Scenario time since the run began; and
    #[serde(deserialize_with = "time::maybe_length")]
    pub after: Option<Duration>,
    /// so many looks, this one not counted.
    pub looks: Option<u32>,
    pub set: Map<String, Value>,
    pub hidden: Option<bool>,
    pub logs: Option<Value>,
}

/// Ended runs by rule: one `every` so often, the newest created `newest` before the service started.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct History {
    pub count: u32,
    #[serde(deserialize_with = "time::length")]
    pub newest: Duration,
    #[serde(deserialize_with = "time::length")]
    pub every: Duration,
    /// One length, or several in turn from the newest back: two peaks, a drift, any shape.
    #[serde(deserialize_with = "time::lengths")]
    pub takes: Vec<Duration>,
    /// Run times vary by up to this much more.
    #[serde(default, deserialize_with = "time::length")]
    pub spread: Duration,
    /// One word, or several in turn.
    #[serde(default = "success")]
    pub last_status: Vec<String>,
    /// Of those that did not succeed; several in turn.
    #[serde(default)]
    pub trace: Vec<String>,
}

fn success() -> Vec<String> {
    vec!["SUCCESS".to_owned()]
}

/// A reply ordered for an endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Order {
    pub on: On,
    /// Only where the path has this id.
    pub id: Option<String>,
    pub reply: Reply,
    /// How often it was carried out, in this round of the script.
    #[serde(skip)]
    pub(super) given: u32,
}

impl Order {
    pub fn new(on: On, id: Option<String>, reply: Reply) -> Order {
        Order { on, id, reply, given: 0 }
    }
}

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    SignIn,
    Run,
    Runs,
    Logs,
    Execute,
    Pipeline,
    Pipelines,
    /// A proxy's tunnel.
    Connect,
    /// A path that the service does not have.
    Other,
    /// In an order: every request.
    Any,
}
