//! Input errors and warnings about the inputs, as values: what a person sees of them is made once, at the end.

use crate::core::Untrusted;
use crate::inputs::{ArgumentError, GivenValue, Input, Kind, Mode, cli};

/// Something wrong with the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    pub about: InputSubject,
    /// Where it was given (`--run-id`, `MAESTRO_RUN_ID`); `None` for what is missing.
    pub called: Option<String>,
    /// The value or the part of it that is wrong; never of a secret.
    pub value: Option<Untrusted>,
    /// What is wrong and what would be right: our words only.
    pub what: String,
}

/// What an input error is about, in the order of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputSubject {
    CommandLine,
    Input(Input),
    /// A variable that is no input of ours, such as `HTTPS_PROXY`.
    Variable(&'static str),
}

/// Something that is not wrong, but that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A name from the environment, where it is not one of ours.
    pub name: Option<Untrusted>,
    pub what: String,
}

impl InputError {
    /// An input error about an input that was not given.
    pub(super) fn missing(input: Input, what: impl Into<String>) -> InputError {
        InputError { about: InputSubject::Input(input), called: None, value: None, what: what.into() }
    }

    /// An input error about a given value; the value is reported unless the table forbids it.
    pub(super) fn of(given: &GivenValue, value: Option<&str>, what: impl Into<String>) -> InputError {
        InputError {
            about: InputSubject::Input(given.input),
            called: Some(given.called.clone()),
            value: value.filter(|_| given.input.may_be_shown()).map(Untrusted::new),
            what: what.into(),
        }
    }

    /// One sentence; `show` makes untrusted text fit to be seen.
    pub fn sentence(&self, show: impl Fn(&Untrusted) -> String) -> String {
        let subject = match self.about {
            InputSubject::CommandLine => "command line",
            InputSubject::Input(input) => input.name(),
            InputSubject::Variable(name) => name,
        };
        let value = self.value.as_ref().map(|value| format!(" \"{}\"", show(value))).unwrap_or_default();
        let called = self.called.as_ref().map(|called| format!(" ({called})")).unwrap_or_default();
        format!("{subject}{value}{called}: {}", self.what)
    }
}

impl Warning {
    pub(super) fn ours(what: impl Into<String>) -> Warning {
        Warning { name: None, what: what.into() }
    }

    /// One sentence; `show` makes untrusted text fit to be seen.
    pub fn sentence(&self, show: impl Fn(&Untrusted) -> String) -> String {
        match &self.name {
            Some(name) => format!("{}: {}", show(name), self.what),
            None => self.what.clone(),
        }
    }
}

/// The input error that a fault of the command line is.
pub(super) fn of_command_line(fault: &ArgumentError) -> InputError {
    const UNKNOWN: &str = "unknown flag. Run maestro-gate --help for a list";
    let (value, what) = match fault {
        ArgumentError::UnknownFlag(name) => {
            let what = match (fault.meant().filter(|input| input.is_secret()), cli::suggestion(name)) {
                (Some(input), _) => format!("unknown flag. {} has no flag. {}", input.name(), by_variable(input)),
                (None, Some(flag)) => format!("unknown flag. Did you mean --{flag}?"),
                (None, None) => UNKNOWN.to_owned(),
            };
            (Some(name.clone()), what)
        }
        ArgumentError::UnknownLetter(letter) => (Some(format!("-{letter}")), UNKNOWN.to_owned()),
        // Not quoted: it may be the end of a password.
        ArgumentError::Stray { position, after: None } => {
            (None, format!("unexpected argument {position}. Run ids follow --run-id"))
        }
        ArgumentError::Stray { position, after: Some(input) } => {
            let name = input.name();
            let advice = match input.row().kind {
                Kind::Switch => format!("Write --{name}=false to switch it off"),
                Kind::One | Kind::List | Kind::SecretFile | Kind::Secret => {
                    "Put a value that contains blanks in quotes".to_owned()
                }
            };
            (None, format!("unexpected argument after `--{name}` (argument {position}). {advice}"))
        }
        ArgumentError::NotUtf8 { position } => (None, format!("argument {position} is not UTF-8 text")),
        ArgumentError::SecretByFlag(input) => {
            let what = format!(
                "a secret has no flag, because process lists and logs show flags. {}. The value given here may have been \
                 seen by others: change it",
                by_variable(*input)
            );
            return InputError { called: Some(format!("--{}", input.name())), ..InputError::missing(*input, what) };
        }
        ArgumentError::NotAlone(mode) => {
            let flag = if *mode == Mode::Help { "--help" } else { "--version" };
            (None, format!("{flag} must be the only argument. No run was waited for"))
        }
        ArgumentError::DoctorNotFirst => {
            (None, "`doctor` must be the first argument: maestro-gate doctor --pipeline-id ...".to_owned())
        }
    };
    InputError { about: InputSubject::CommandLine, called: None, value: value.map(Untrusted::new), what }
}

/// How a secret is given.
fn by_variable(input: Input) -> String {
    let variable = input.row().variable;
    match Input::named(&format!("{}-file", input.name())) {
        Some(file) => format!("Set the variable {variable}, or use --{}", file.name()),
        None => format!("Set the variable {variable}"),
    }
}
