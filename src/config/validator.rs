//! Reads values and collects input errors, so that all of them are reported at once.

use secrecy::SecretString;

use crate::inputs::{ArgumentError, Env, GivenValue, Input, InputGroup, Inputs, Kind, ROWS};

use super::input_error::{self, InputError, Warning};
use super::suspicious_text::{BREAKS, visible};

/// The inputs on one side, the input errors found so far on the other.
pub(super) struct Validator<'a> {
    pub inputs: &'a Inputs,
    pub env: &'a Env,
    pub input_errors: Vec<InputError>,
    pub warnings: Vec<Warning>,
    /// Everything that must not be seen, with its input's name.
    pub secrets: Vec<(&'static str, SecretString)>,
}

/// What is wrong with a value, and how much of it may be shown.
pub(super) enum InvalidValue {
    /// The value as a whole.
    Whole(String),
    /// This part of it.
    Part(String, String),
    /// Nothing, though the input's values usually are shown.
    Hidden(String),
}

impl InvalidValue {
    pub fn part(part: impl Into<String>, what: impl Into<String>) -> InvalidValue {
        InvalidValue::Part(part.into(), what.into())
    }
}

impl From<String> for InvalidValue {
    fn from(what: String) -> InvalidValue {
        InvalidValue::Whole(what)
    }
}

impl From<&str> for InvalidValue {
    fn from(what: &str) -> InvalidValue {
        what.to_owned().into()
    }
}

impl<'a> Validator<'a> {
    /// Begins with what is wrong before any value is looked at.
    pub fn new(inputs: &'a Inputs, env: &'a Env) -> Validator<'a> {
        let given = ROWS.iter().flat_map(|row| inputs.all(row.input));
        let unreadable = given.filter_map(|given| Some(InputError::of(given, None, given.text.as_ref().err()?)));
        Validator {
            inputs,
            env,
            input_errors: inputs.faults.iter().map(input_error::of_command_line).chain(unreadable).collect(),
            warnings: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// The value that counts, if one was given and can be read.
    pub fn given(&self, input: Input) -> Option<(&'a GivenValue, &'a str)> {
        let given = self.inputs.chosen(input)?;
        given.text.as_deref().ok().map(|text| (given, text))
    }

    /// Reads the value or else the default. `None`: neither is there, or an input error was noted.
    pub fn read<T>(&mut self, input: Input, parse: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<T> {
        match self.inputs.chosen(input) {
            None => input.row().default.and_then(|text| parse(text).ok()),
            Some(given) => self.check(given, |text| seen(input, text).and_then(parse)),
        }
    }

    /// Reads a value that was given. `None`: it can't be read, or an input error was noted.
    pub fn check<'g, T>(
        &mut self,
        given: &'g GivenValue,
        parse: impl FnOnce(&'g str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        given.text.as_deref().ok().and_then(|text| self.accept(given, parse(text)))
    }

    /// What was made of a value. `None`: an input error was noted.
    pub fn accept<T>(&mut self, given: &GivenValue, read: Result<T, InvalidValue>) -> Option<T> {
        read.map_err(|wrong| self.wrong(given, wrong)).ok()
    }

    /// Reads the value if there is one. Outer `None`: an input error was noted.
    pub fn read_optional<T>(
        &mut self,
        input: Input,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<Option<T>> {
        match self.inputs.chosen(input) {
            None => Some(None),
            Some(_) => self.read(input, parse).map(Some),
        }
    }

    /// Notes that an input is needed, unless a flag that does not exist was probably meant to give it: one slip is one
    /// input error.
    pub fn missing(&mut self, input: Input, what: impl Into<String>) {
        let is_sign_in = |input: Input| input.row().group == InputGroup::SignIn;
        let is_meant = |meant: &Input| {
            let instead = [(Input::PipelineId, Input::RunId), (Input::RunId, Input::Trigger)];
            *meant == input || instead.contains(&(input, *meant)) || (is_sign_in(input) && is_sign_in(*meant))
        };
        if !self.inputs.faults.iter().filter_map(ArgumentError::meant).any(|meant| is_meant(&meant)) {
            self.input_errors.push(InputError::missing(input, what));
        }
    }

    /// The value that counts is wrong.
    pub fn refuse(&mut self, input: Input, wrong: impl Into<InvalidValue>) {
        if let Some(given) = self.inputs.chosen(input) {
            self.wrong(given, wrong);
        }
    }

    pub fn wrong(&mut self, given: &GivenValue, wrong: impl Into<InvalidValue>) {
        let (value, what) = match wrong.into() {
            InvalidValue::Whole(what) => (given.text.clone().ok(), what),
            InvalidValue::Part(part, what) => (Some(part), what),
            InvalidValue::Hidden(what) => (None, what),
        };
        self.input_errors.push(InputError::of(given, value.as_deref(), what));
    }
}

/// The value, if each of its characters can be seen. A path is the system's, which takes nearly any.
fn seen(input: Input, text: &str) -> Result<&str, InvalidValue> {
    let breaks = if input.row().kind == Kind::List { &BREAKS[..] } else { &[] };
    let checked = if input.row().value == "PATH" { Ok(()) } else { visible(text, breaks) };
    checked.map(|()| text).map_err(|what| match text.contains(['@', '?', '#']) {
        // Of an address, what stands there may be a secret.
        true => InvalidValue::Hidden(what),
        false => what.into(),
    })
}
