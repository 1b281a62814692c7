//! What the command line says, to its last argument.
//!
//! clap stops at the first thing it does not know, prints it (a password, in `--password x`), and forgets what stands
//! behind it. A gate tells all input errors at once, repeats nothing that might be a secret, and must know even then where
//! its reports go. So the words are sorted in here, by clap's own rules, and clap describes the command (`cli`); a test
//! holds the two to the same reading.

use std::ffi::{OsStr, OsString};
use std::fmt;

use super::{Input, Kind, ROWS, cli, switch};

/// What was read: values by input in the order given, and what could not be read.
#[derive(Default)]
pub struct Arguments {
    /// Each use of a flag; `None` where its value is missing.
    pub flags: Vec<(Input, Option<OsString>)>,
    pub faults: Vec<ArgumentError>,
    /// What was given to flags that do not exist because they would take secrets: to be redacted.
    pub exposed_secrets: Vec<(Input, OsString)>,
    pub mode: Option<Mode>,
}

/// Something to show instead of a gate to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Help,
    Version,
    /// A check of everything that a gate with these inputs would need.
    Doctor,
}

/// What is wrong with the command line as such. No value given is repeated: it might be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// No such flag; the name only, up to a `=`. It may begin with one hyphen, or with a dash that is no hyphen.
    UnknownFlag(String),
    /// A switch of one letter that does not exist.
    UnknownLetter(char),
    /// An argument that belongs to no flag: its place, and the flag before it.
    Stray { position: usize, after: Option<Input> },
    /// A flag's name that is not UTF-8.
    NotUtf8 { position: usize },
    /// A secret given by flag.
    SecretByFlag(Input),
    /// `--help` or `--version` beside other arguments: a gate that shows its help instead of waiting would pass.
    NotAlone(Mode),
    /// `doctor` somewhere else than first: a gate would run where only a check was wanted, or the other way round.
    DoctorNotFirst,
}

/// Only counts: the values may be anything.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spoken({} flags, {:?})", self.flags.len(), self.faults)
    }
}

/// Who takes the words that are not flags.
#[derive(Clone, Copy)]
enum ArgumentTarget {
    /// They belong to nobody.
    Nobody,
    /// The flag just read waits for its value.
    Flag(Input),
    /// A flag for a secret: all that follows up to the next flag may be part of it.
    Secret(Input),
    /// A switch just read takes `true` or `false`, and leaves anything else alone.
    Switch(Input),
    /// A flag that does not exist: what follows was meant for it.
    Unknown,
}

/// What the arguments ask for beside a gate.
pub fn mode(args: &[OsString]) -> Option<Mode> {
    read(args).mode
}

pub fn read(args: &[OsString]) -> Arguments {
    let mut arguments = Arguments::default();
    let mut target = ArgumentTarget::Nobody;
    let mut last = None;
    let mut only_words = false;
    let is_doctor = args.first().is_some_and(|first| first == "doctor");
    let words = args.get(usize::from(is_doctor)..).unwrap_or_default();
    if let [only] = words
        && let mode @ Some(_) = shown(only)
    {
        return Arguments { mode, ..arguments };
    }
    // `help` and `version` are commands only where a command stands.
    let command = args.first().filter(|first| *first == "help" || *first == "version");
    arguments.mode = command.and_then(|command| shown(command));
    let skipped = usize::from(is_doctor || command.is_some());
    for (index, arg) in args.iter().enumerate().skip(skipped) {
        let position = index + 1;
        if only_words || !looks_like_a_flag(arg) {
            target = arguments.word(target, last, position, arg);
            continue;
        }
        last = target.input().or(last);
        arguments.close(target);
        target = ArgumentTarget::Nobody;
        if arg == "--" {
            only_words = true;
            continue;
        }
        let (name, value) = split_at_equals(arg);
        let Some(name) = name.to_str() else {
            arguments.faults.push(ArgumentError::NotUtf8 { position });
            target = ArgumentTarget::Unknown;
            continue;
        };
        target = match name.strip_prefix("--") {
            Some(name) => arguments.long(name, value),
            None => arguments.short(name, value),
        };
        last = target.input().or(arguments.flags.last().map(|(input, _)| *input)).or(last);
    }
    arguments.close(target);
    if let Some(mode) = arguments.mode.take() {
        arguments.faults.push(ArgumentError::NotAlone(mode));
    }
    if is_doctor {
        arguments.mode = Some(Mode::Doctor);
    }
    arguments
}

/// What a word asks for that is shown instead of a gate.
fn shown(word: &OsStr) -> Option<Mode> {
    match word.to_str()? {
        "help" | "--help" | "-h" => Some(Mode::Help),
        "version" | "--version" | "-V" => Some(Mode::Version),
        _ => None,
    }
}

impl ArgumentTarget {
    /// The flag that may still get a value.
    fn input(self) -> Option<Input> {
        match self {
            ArgumentTarget::Flag(input) | ArgumentTarget::Switch(input) => Some(input),
            ArgumentTarget::Secret(_) | ArgumentTarget::Nobody | ArgumentTarget::Unknown => None,
        }
    }
}

impl Arguments {
    /// An argument that is not a flag.
    fn word(&mut self, target: ArgumentTarget, last: Option<Input>, position: usize, word: &OsStr) -> ArgumentTarget {
        match target {
            ArgumentTarget::Flag(input) => {
                self.flags.push((input, Some(word.to_owned())));
                ArgumentTarget::Nobody
            }
            ArgumentTarget::Secret(input) => {
                self.exposed_secrets.push((input, word.to_owned()));
                target
            }
            ArgumentTarget::Unknown => target,
            ArgumentTarget::Switch(input) if word.to_str().and_then(switch).is_some() => {
                self.flags.push((input, Some(word.to_owned())));
                ArgumentTarget::Nobody
            }
            ArgumentTarget::Switch(input) => {
                self.close(target);
                self.word(ArgumentTarget::Nobody, Some(input), position, word)
            }
            ArgumentTarget::Nobody => {
                if let Some(name) = flag_with_a_wrong_dash(word) {
                    self.faults.push(ArgumentError::UnknownFlag(name));
                    return ArgumentTarget::Unknown;
                }
                self.faults.push(match word.to_str() {
                    Some("doctor") => ArgumentError::DoctorNotFirst,
                    _ => ArgumentError::Stray { position, after: last },
                });
                target
            }
        }
    }

    /// `--name` or `--name=value`.
    fn long(&mut self, name: &str, value: Option<&OsStr>) -> ArgumentTarget {
        let mode = match name {
            "help" => Some(Mode::Help),
            "version" => Some(Mode::Version),
            _ => None,
        };
        if mode.is_some() && value.is_none() {
            self.mode = mode;
            return ArgumentTarget::Nobody;
        }
        let Some(input) = Input::named(name) else {
            self.faults.push(ArgumentError::UnknownFlag(format!("--{name}")));
            return ArgumentTarget::Unknown;
        };
        match (input.row().kind, value) {
            (Kind::Secret, value) => {
                self.faults.push(ArgumentError::SecretByFlag(input));
                self.exposed_secrets.extend(value.map(|value| (input, value.to_owned())));
                ArgumentTarget::Secret(input)
            }
            (_, Some(value)) => {
                self.flags.push((input, Some(value.to_owned())));
                ArgumentTarget::Nobody
            }
            (Kind::Switch, None) => ArgumentTarget::Switch(input),
            (Kind::One | Kind::List | Kind::SecretFile, None) => ArgumentTarget::Flag(input),
        }
    }

    /// `-q`, or several letters in one: `-qv`. What follows an unknown letter may be its value, and is not read.
    fn short(&mut self, letters: &str, value: Option<&OsStr>) -> ArgumentTarget {
        let name = letters.trim_start_matches('-');
        if Input::named(name).is_some() || ["help", "version"].contains(&name) {
            self.faults.push(ArgumentError::UnknownFlag(letters.to_owned()));
            return ArgumentTarget::Unknown;
        }
        let mut letters = letters.chars().skip(1).peekable();
        while let Some(letter) = letters.next() {
            let attached = value.filter(|_| letters.peek().is_none());
            let input = ROWS.iter().map(|row| row.input).find(|input| input.short() == Some(letter));
            match (letter, input, attached) {
                ('h', _, None) => self.mode = Some(Mode::Help),
                ('V', _, None) => self.mode = Some(Mode::Version),
                (_, Some(input), Some(value)) => self.flags.push((input, Some(value.to_owned()))),
                (_, Some(input), None) if letters.peek().is_none() => return ArgumentTarget::Switch(input),
                (_, Some(input), None) => self.close(ArgumentTarget::Switch(input)),
                _ => {
                    self.faults.push(ArgumentError::UnknownLetter(letter));
                    return ArgumentTarget::Unknown;
                }
            }
        }
        ArgumentTarget::Nobody
    }

    /// No more words come for `target`.
    fn close(&mut self, target: ArgumentTarget) {
        match target {
            ArgumentTarget::Flag(input) => self.flags.push((input, None)),
            ArgumentTarget::Switch(input) => self.flags.push((input, Some("true".into()))),
            ArgumentTarget::Secret(_) | ArgumentTarget::Unknown | ArgumentTarget::Nobody => {}
        }
    }
}

/// A lone `-` is a word, as it is for clap.
fn looks_like_a_flag(arg: &OsStr) -> bool {
    arg.len() > 1 && arg.as_encoded_bytes().starts_with(b"-")
}

/// The name, up to a `=`, of a flag that was written with a dash as word processors make them of two hyphens.
fn flag_with_a_wrong_dash(word: &OsStr) -> Option<String> {
    let name = word.to_str()?.split('=').next()?;
    let is_one = name.starts_with(cli::is_dash) && cli::suggestion(name).is_some();
    is_one.then(|| name.to_owned())
}

/// An argument that is not UTF-8 stays whole: without `unsafe` only text can be cut.
fn split_at_equals(arg: &OsStr) -> (&OsStr, Option<&OsStr>) {
    match arg.to_str().and_then(|text| text.split_once('=')) {
        Some((name, value)) => (name.as_ref(), Some(value.as_ref())),
        None => (arg, None),
    }
}
