//! Every default, as a user would write it: read by the same code as the user's own values.

use crate::inputs::Input;

/// The input's default; `None` where being unset means something of its own.
pub fn default(input: Input) -> Option<&'static str> {
    match input {
        Input::Trigger | Input::FailFast | Input::Quiet | Input::Verbose => Some("false"),
        Input::History | Input::Summary => Some("true"),
        Input::IfRunning => Some("queue"),
        // Below the one hour at which GitLab and Azure kill a job.
        Input::Timeout => Some("50m"),
        Input::PollInterval | Input::Ci => Some("auto"),
        Input::AppearTimeout => Some("2m"),
        Input::MaxOutage => Some("10m"),
        Input::BaseUrl => Some("https://maestro.dadosfera.ai"),
        Input::Logs => Some("on-failure"),
        Input::OutputPrefix => Some("MAESTRO_GATE_"),
        Input::LogFormat => Some("text"),
        Input::PipelineId
        | Input::RunId
        | Input::MaxAge
        | Input::StartedAfter
        | Input::SuccessStatuses
        | Input::FailureStatuses
        | Input::RunUrl
        | Input::Username
        | Input::Password
        | Input::PasswordFile
        | Input::TotpSecret
        | Input::AccessToken
        | Input::AccessTokenFile
        | Input::CaFile
        | Input::TraceFile
        | Input::Json
        | Input::Junit
        | Input::Dotenv
        | Input::Markdown
        | Input::OutputDir => None,
    }
}
