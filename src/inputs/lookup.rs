//! Where a value is looked for, and which one wins.
//!
//! First hit wins: the flag; `INPUT_<NAME>` under `GITHUB_ACTIONS`; `PLUGIN_<NAME>` under Woodpecker and Drone; the
//! named variable. So what the step says beats the environment. The secrets count as one set: the place that gives any
//! of them replaces all lower places'. A user name may come from a higher place than its password, never from a lower one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use super::args::{self, ArgumentError, Arguments, Mode};
use super::{Env, Input, InputGroup, Kind, ROWS};

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
    /// The trimmed text, never empty; a list's entries one a line.
    pub text: Result<String, Unreadable>,
}

/// Why there is no text though something was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    NotUtf8,
    /// A flag at the end of the line, or before another flag.
    NoValue,
    /// A flag that takes one value, given several times.
    Repeated,
    /// A flag repeated, one of its values empty: an expression came out empty, and one run fewer would be waited for.
    EmptyAmongSeveral,
    /// The step says one thing with underscores, and the environment another with hyphens.
    TwoSpellings,
}

/// All that was given, by place.
pub struct Inputs {
    given: BTreeMap<Input, Vec<GivenValue>>,
    pub faults: Vec<ArgumentError>,
    pub mode: Option<Mode>,
    /// Secrets given to flags that do not exist.
    pub exposed_secrets: Vec<(Input, String)>,
    /// Names of `PLUGIN_` variables that no input has.
    pub unknown_settings: Vec<String>,
}

/// Collects all that was given.
pub fn look_up(args: &[OsString], env: &Env) -> Inputs {
    let Arguments { flags, faults, exposed_secrets, mode } = args::read(args);
    let under_plugin = is_plugin_host(env);
    let mut given = BTreeMap::new();
    for row in &ROWS {
        let mut all: Vec<GivenValue> = from_flags(row.input, &flags).into_iter().collect();
        let shout = row.name.to_ascii_uppercase();
        let snake = shout.replace('-', "_");
        if env.is_set("GITHUB_ACTIONS") {
            all.extend(from_step(row.input, env, format!("INPUT_{shout}"), format!("INPUT_{snake}")));
        }
        let mut variable = |place, name| all.extend(from_variable(row.input, place, env, name));
        if under_plugin {
            variable(InputSource::Plugin, format!("PLUGIN_{snake}"));
        }
        variable(InputSource::Variable, row.variable.to_owned());
        given.insert(row.input, all);
    }
    let known = |name: &str| ROWS.iter().any(|row| same_setting(row.name, name));
    let unknown_settings = if under_plugin {
        env.starting_with("PLUGIN_").filter(|name| !name.strip_prefix("PLUGIN_").is_some_and(known)).collect()
    } else {
        Vec::new()
    };
    let exposed_secrets =
        exposed_secrets.into_iter().map(|(input, text)| (input, text.to_string_lossy().into_owned())).collect();
    Inputs { given, faults, mode, exposed_secrets, unknown_settings }
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
        match input.row().group {
            InputGroup::SignIn if input == Input::Username => {
                place.is_none_or(|place| first.place <= place).then_some(first)
            }
            InputGroup::SignIn => (Some(first.place) == place).then_some(first),
            InputGroup::Runs | InputGroup::Waiting | InputGroup::Service | InputGroup::Reports | InputGroup::Log => {
                Some(first)
            }
        }
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

/// The flag's value; a list's values, one a line.
fn from_flags(input: Input, flags: &[(Input, Option<OsString>)]) -> Option<GivenValue> {
    let uses: Vec<Option<&OsStr>> =
        flags.iter().filter(|(used, _)| *used == input).map(|(_, value)| value.as_deref()).collect();
    let text = match uses.as_slice() {
        [] => return None,
        [Some(value)] => readable(input, value)?,
        [None] => Err(Unreadable::NoValue),
        several if input.row().kind != Kind::List || several.contains(&None) => Err(match several.contains(&None) {
            true => Unreadable::NoValue,
            false => Unreadable::Repeated,
        }),
        several => several
            .iter()
            .flatten()
            .map(|value| match readable(input, value) {
                // Joined, a comma at an end would find its entry in the next value.
                Some(Ok(text)) if text.starts_with(',') || text.ends_with(',') => Err(Unreadable::EmptyAmongSeveral),
                Some(read) => read,
                None => Err(Unreadable::EmptyAmongSeveral),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|texts| texts.join("\n")),
    };
    Some(GivenValue { input, place: InputSource::Flag, called: format!("--{}", input.name()), text })
}

/// The value of a variable, if it has one.
fn from_variable(input: Input, place: InputSource, env: &Env, called: String) -> Option<GivenValue> {
    let text = readable(input, env.value(&called)?)?;
    Some(GivenValue { input, place, called, text })
}

/// The step's value. Runners pass the name with its hyphens, our composite passes it with underscores, and always all of
/// them, be they empty: where it is there, nobody else may add the other spelling (an earlier step can set any variable).
fn from_step(input: Input, env: &Env, hyphens: String, underscores: String) -> Option<GivenValue> {
    if hyphens == underscores || !env.is_set(&underscores) {
        return from_variable(input, InputSource::Step, env, hyphens);
    }
    let ours = from_variable(input, InputSource::Step, env, underscores);
    match from_variable(input, InputSource::Step, env, hyphens) {
        Some(other) if ours.as_ref().is_none_or(|ours| ours.text != other.text) => {
            Some(GivenValue { text: Err(Unreadable::TwoSpellings), ..other })
        }
        Some(_) | None => ours,
    }
}

/// The text without outer blanks, of a secret without trailing line breaks; in either case without a byte order mark, as
/// editors put it before a text. `None` if nothing is left.
fn readable(input: Input, raw: &OsStr) -> Option<Result<String, Unreadable>> {
    let Some(text) = raw.to_str() else { return Some(Err(Unreadable::NotUtf8)) };
    // Blanks are ASCII's: others are invisible characters, which `config` refuses by name.
    let text = if input.is_secret() { secret(text) } else { without_bom(text.trim_ascii()).trim_ascii() };
    (!text.is_empty()).then(|| Ok(text.to_owned()))
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

/// Whether `setting` (`RUN_ID`) is the input `name` (`run-id`).
fn same_setting(name: &str, setting: &str) -> bool {
    let same = |(a, b): (u8, u8)| a.to_ascii_uppercase() == b || (a == b'-' && b == b'_');
    name.len() == setting.len() && name.bytes().zip(setting.bytes()).all(same)
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
