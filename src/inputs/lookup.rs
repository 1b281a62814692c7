//! Where a value is looked for, and which one wins.
//!
//! First hit wins: the flag; `INPUT_<NAME>` under `GITHUB_ACTIONS`; `PLUGIN_<NAME>` under Woodpecker and Drone; the
//! named variable. So what the step says beats the environment. The secrets count as one set: the place that gives any
//! of them replaces all lower places'. A user name may come from a higher place than its password, never from a lower one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use super::args::{self, ArgumentError, Arguments, Mode};
use super::{Env, Input, InputGroup, Kind, ROWS, Row};

/// The places, highest first. What is missing is the default: that is `config`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputSource {
    Flag,
    /// What the step of GitHub, Gitea or Forgejo says under `with:`.
    Step,
    /// What the step of Woodpecker or Drone says under `settings:`.
    Plugin,
    Variable,
}

/// A value, and where it stood.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenValue {
    pub input: Input,
    pub place: InputSource,
    /// What a person would look for: `--run-id`, `INPUT_RUN-ID`, `MAESTRO_RUN_ID`.
    pub called: String,
    /// The trimmed text, never empty; a list's entries one a line. Or why there is none, in our words only.
    pub text: Result<String, String>,
}

/// All that was given, by place.
pub struct Inputs {
    given: BTreeMap<Input, Vec<GivenValue>>,
    pub faults: Vec<ArgumentError>,
    pub mode: Option<Mode>,
    /// Secrets given to flags that do not exist.
    pub exposed_secrets: Vec<(Input, OsString)>,
    /// Names of `PLUGIN_` variables that no input has.
    pub unknown_settings: Vec<String>,
}

/// Collects all that was given.
pub fn look_up(args: &[OsString], env: &Env) -> Inputs {
    let Arguments { flags, faults, exposed_secrets, mode } = args::read(args);
    let under_plugin = is_plugin_host(env);
    let mut inputs = Inputs { given: BTreeMap::new(), faults, mode, exposed_secrets, unknown_settings: Vec::new() };
    for row in &ROWS {
        let uses = flags.iter().filter(|(used, _)| *used == row.input).map(|(_, value)| value.as_deref());
        let uses: Vec<Option<&OsStr>> = uses.collect();
        let variable = |place, name: String| {
            let value = env.value(&name).map(Some);
            GivenValue::new(row.input, place, name, value.as_slice())
        };
        let all = [
            GivenValue::new(row.input, InputSource::Flag, format!("--{}", row.name), &uses),
            if env.is_set("GITHUB_ACTIONS") { from_step(row, env, variable) } else { None },
            if under_plugin { variable(InputSource::Plugin, row.setting()) } else { None },
            variable(InputSource::Variable, row.variable.to_owned()),
        ];
        inputs.given.insert(row.input, all.into_iter().flatten().collect());
    }
    if under_plugin {
        let known: Vec<String> = ROWS.iter().map(Row::setting).collect();
        let unknown = env.starting_with("PLUGIN_").filter(|name| !known.contains(&name.replace('-', "_")));
        inputs.unknown_settings = unknown.collect();
    }
    inputs
}

impl Inputs {
    /// Everything given for this input, highest place first.
    pub fn all(&self, input: Input) -> &[GivenValue] {
        self.given.get(&input).map_or(&[], Vec::as_slice)
    }

    /// The one that counts.
    pub fn chosen(&self, input: Input) -> Option<&GivenValue> {
        let first = self.all(input).first()?;
        let place = self.secrets_place();
        let counts = if input.row().group != InputGroup::SignIn {
            true
        } else if input == Input::Username {
            place.is_none_or(|place| first.place <= place)
        } else {
            place == Some(first.place)
        };
        counts.then_some(first)
    }

    /// The place whose secrets count: the highest that gives any, or the file of one.
    pub fn secrets_place(&self) -> Option<InputSource> {
        let secrets = ROWS.iter().filter(|row| matches!(row.kind, Kind::Secret | Kind::SecretFile));
        secrets.filter_map(|row| self.all(row.input).first()).map(|given| given.place).min()
    }

    /// Values that were given and do not count, where the one that counts is a different one.
    pub fn overruled(&self) -> impl Iterator<Item = &GivenValue> {
        ROWS.iter().flat_map(|row| {
            let chosen = self.chosen(row.input);
            let counts = move |given: &&GivenValue| chosen.is_none_or(|chosen| chosen.text != given.text);
            self.all(row.input).iter().filter(counts)
        })
    }
}

/// What is wrong if an expression came out empty: one run fewer would be waited for.
const EMPTY_AMONG_SEVERAL: &str = "the flag was repeated, and one of its values is empty or ends with a comma. Was an \
                                   expression empty? Fewer entries than intended would be used";

impl GivenValue {
    /// What was given, if anything: the value of a variable, or those of all uses of a flag, `None` where one has none. A list's
    /// values stand one a line.
    fn new(input: Input, place: InputSource, called: String, uses: &[Option<&OsStr>]) -> Option<GivenValue> {
        let is_repeated = uses.len() > 1;
        let read = |raw: &&OsStr| {
            let text = raw.to_str().ok_or("the value is not UTF-8 text")?;
            // Blanks are ASCII's: others are invisible characters, which `config` refuses by name.
            let text = if input.is_secret() { secret(text) } else { without_bom(text.trim_ascii()).trim_ascii() };
            // Joined, a comma at an end would find its entry in the next value.
            let has_gap = text.is_empty() || text.starts_with(',') || text.ends_with(',');
            if is_repeated && has_gap { Err(EMPTY_AMONG_SEVERAL) } else { Ok(text.to_owned()) }
        };
        let text = if uses.contains(&None) {
            let name = input.name();
            Err(format!("the flag needs a value. Write --{name}=VALUE if the value begins with a hyphen"))
        } else if is_repeated && input.row().kind != Kind::List {
            Err("the flag was given more than once. It takes one value".to_owned())
        } else {
            let texts: Result<Vec<String>, &str> = uses.iter().flatten().map(read).collect();
            texts.map(|texts| texts.join("\n")).map_err(str::to_owned)
        };
        let is_given = text.as_ref().map_or(true, |text| !text.is_empty());
        is_given.then_some(GivenValue { input, place, called, text })
    }
}

/// The step's value. Runners pass the name with its hyphens, our composite passes it with underscores, and always all of
/// them, be they empty: where it is there, nobody else may add the other spelling (an earlier step can set any variable).
fn from_step(row: &Row, env: &Env, variable: impl Fn(InputSource, String) -> Option<GivenValue>) -> Option<GivenValue> {
    let [hyphens, underscores] = row.step_inputs();
    let other = variable(InputSource::Step, hyphens);
    if !env.is_set(&underscores) {
        return other;
    }
    let ours = variable(InputSource::Step, underscores);
    match other {
        Some(other) if ours.as_ref().is_none_or(|ours| ours.text != other.text) => {
            let text = Err(format!(
                "the step sets {} to something else. Remove {} from the job's environment: an earlier step may have put it \
                 there",
                row.step_inputs()[1],
                other.called
            ));
            Some(GivenValue { text, ..other })
        }
        Some(_) | None => ours,
    }
}

/// A secret as it stands in a variable or a file: blanks may belong to it.
pub fn secret(text: &str) -> &str {
    without_bom(text).trim_end_matches(['\r', '\n'])
}

fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Woodpecker's name is the server's to choose (`CI_SYSTEM_NAME`), so its other marks count as well.
fn is_plugin_host(env: &Env) -> bool {
    let is = |name: &str, value: &str| env.value(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
    let is_set = |name: &str| env.value(name).is_some();
    is_set("DRONE")
        || is("CI", "woodpecker")
        || is("CI", "drone")
        || is("CI_SYSTEM_NAME", "woodpecker")
        || (is_set("CI_SYSTEM_NAME") && (is_set("CI_SYSTEM_URL") || is_set("CI_PIPELINE_NUMBER")))
}

/// Where it stood, and nothing of the value.
impl fmt::Debug for GivenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.called)
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.given.values().flatten()).finish()
    }
}
