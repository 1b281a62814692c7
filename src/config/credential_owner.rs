//! Credentials go only where their owner sent them.
//!
//! An input that a step leaves open can be set by anybody who can set a variable: a project's settings, an earlier step, a
//! runner's image. For most inputs that is the purpose. But an address to which the secrets go, and what lets more runs
//! pass, must come from the same place as what it would weaken, or from a higher one. The default is nobody's.

use crate::inputs::{GivenValue, Input, InputSource, Kind, ROWS};

use super::InputSubject;
use super::validator::Validator;

/// Checks the inputs that say where the secrets go, and which runs pass with them.
pub(super) fn check(validator: &mut Validator<'_>) {
    let secrets = ROWS.iter().filter(|row| matches!(row.kind, Kind::Secret | Kind::SecretFile));
    let Some(secret) = secrets.filter_map(|row| validator.inputs.chosen(row.input)).next() else { return };
    outranks(validator, secret, Input::BaseUrl, "so the credentials are not sent there");
    outranks(validator, secret, Input::SuccessStatuses, "and it would let more runs pass");
}

/// Refuses a value of `input` from a lower place than `owner`'s.
pub(super) fn outranks(validator: &mut Validator<'_>, owner: &GivenValue, input: Input, consequence: &str) {
    let Some(given) = validator.inputs.chosen(input).filter(|given| given.place > owner.place) else { return };
    // A value that is wrong in itself may not be shown, and is reported already.
    if validator.input_errors.iter().any(|input_error| input_error.about == InputSubject::Input(input)) {
        return;
    }
    let what = format!(
        "set {}, but {} ({}) was set {}, {consequence}. Set {} {} as well, or unset {}",
        source_phrase(given.place),
        owner.input.name(),
        owner.called,
        source_phrase(owner.place),
        input.name(),
        source_phrase(owner.place),
        given.called,
    );
    validator.wrong(given, what);
}

/// Where a value was given, as a user would say it.
pub(super) fn source_phrase(place: InputSource) -> &'static str {
    match place {
        InputSource::Flag => "on the command line",
        InputSource::Step => "in the step's inputs",
        InputSource::Plugin => "in the step's settings",
        InputSource::Variable => "in the environment",
    }
}
