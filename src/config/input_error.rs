//! Input errors and warnings about the inputs, as values: what a person sees of them is made once, at the end.

use std::fmt::Write;

use crate::core::Untrusted;
use crate::inputs::{ArgumentError, GivenValue, Input, Kind, Mode, Unreadable, cli};

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
        let mut text = match self.about {
            InputSubject::CommandLine => "command line".to_owned(),
            InputSubject::Input(input) => input.name().to_owned(),
            InputSubject::Variable(name) => name.to_owned(),
        };
        if let Some(value) = &self.value {
            // Writing to a `String` can't fail.
            let _ = write!(text, " \"{}\"", show(value));
        }
        if let Some(called) = &self.called {
            let _ = write!(text, " ({called})");
        }
        let _ = write!(text, ": {}", self.what);
        text
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
    let line = |value: Option<String>, what: String| InputError {
        about: InputSubject::CommandLine,
        called: None,
        value: value.map(Untrusted::new),
        what,
    };
    match fault {
        ArgumentError::UnknownFlag(name) => {
            let secret = cli::suggestion(name).and_then(Input::named).filter(|input| input.is_secret());
            let what = match (secret, cli::suggestion(name)) {
                (Some(input), _) => format!("unknown flag. {} has no flag. {}", input.name(), by_variable(input)),
                (None, Some(flag)) => format!("unknown flag. Did you mean --{flag}?"),
                (None, None) => "unknown flag. Run maestro-gate --help for a list".to_owned(),
            };
            line(Some(name.clone()), what)
        }
        ArgumentError::UnknownLetter(letter) => {
            line(Some(format!("-{letter}")), "unknown flag. Run maestro-gate --help for a list".to_owned())
        }
        ArgumentError::Stray { position, after } => {
            // Not quoted: it may be the end of a password.
            let what = match after {
                Some(input) if input.row().kind == Kind::Switch => {
                    format!(
                        "unexpected argument after `--{0}` (argument {position}). Write --{0}=false to switch it off",
                        input.name()
                    )
                }
                Some(input) => format!(
                    "unexpected argument after `--{}` (argument {position}). Put a value that contains blanks in quotes",
                    input.name()
                ),
                None => format!("unexpected argument {position}. Run ids follow --run-id"),
            };
            line(None, what)
        }
        ArgumentError::NotUtf8 { position } => line(None, format!("argument {position} is not UTF-8 text")),
        ArgumentError::SecretByFlag(input) => {
            let what = format!(
                "a secret has no flag, because process lists and logs show flags. {}. The value given here may have been \
                 seen by others: change it",
                by_variable(*input)
            );
            InputError { called: Some(format!("--{}", input.name())), ..InputError::missing(*input, what) }
        }
        ArgumentError::NotAlone(mode) => {
            let flag = if *mode == Mode::Help { "--help" } else { "--version" };
            line(None, format!("{flag} must be the only argument. No run was waited for"))
        }
        ArgumentError::DoctorNotFirst => {
            line(None, "`doctor` must be the first argument: maestro-gate doctor --pipeline-id ...".to_owned())
        }
    }
}

/// How a secret is given.
fn by_variable(input: Input) -> String {
    let variable = input.row().variable;
    match Input::named(&format!("{}-file", input.name())) {
        Some(file) => format!("Set the variable {variable}, or use --{}", file.name()),
        None => format!("Set the variable {variable}"),
    }
}

/// The input error that an unreadable value is.
pub(super) fn of_unreadable(given: &GivenValue, why: Unreadable) -> InputError {
    let what = match why {
        Unreadable::NotUtf8 => "the value is not UTF-8 text".to_owned(),
        Unreadable::NoValue => {
            let name = given.input.name();
            format!("the flag needs a value. Write --{name}=VALUE if the value begins with a hyphen")
        }
        Unreadable::Repeated => "the flag was given more than once. It takes one value".to_owned(),
        Unreadable::EmptyAmongSeveral => {
            "the flag was repeated, and one of its values is empty or ends with a comma. Was an expression empty? Fewer \
             entries than intended would be used"
                .to_owned()
        }
        Unreadable::TwoSpellings => {
            let underscores = given.called.replace('-', "_");
            format!(
                "the step sets {underscores} to something else. Remove {} from the job's environment: an earlier step may \
                 have put it there",
                given.called
            )
        }
    };
    InputError::of(given, None, what)
}
