//! The lines about inputs and where they come from.

use super::index::section;
use super::names::{Line, MISTAKES, line};

pub const SOURCES: &[Line] = &[
    section("#inputs"),
    line(
        "empty is unset, values are trimmed, secrets lose only line breaks",
        &["values_are_trimmed_and_empty_is_unset", "values_are_trimmed_but_secrets_lose_only_line_breaks"],
    ),
    line(
        "a switch takes true or false as the next argument",
        &["switches_are_true_alone_and_take_true_or_false", "a_switch_takes_the_word_behind_it"],
    ),
    line(
        "help and version print and exit 0 alone; help beside other arguments prints and exits 2",
        &[
            "help_and_version_are_granted_only_alone",
            "help_is_printed_alone_as_a_command_and_beside_an_input_error",
            "help_beside_other_arguments_is_printed_and_an_input_error",
        ],
    ),
    line(
        "invisible characters are refused by name, a byte order mark is dropped",
        &[
            "an_invisible_character_is_named_by_its_code_point",
            "an_invisible_character_in_an_id_is_named",
            "invisible_characters_are_named_in_every_input_but_paths_and_secrets",
            "a_byte_order_mark_before_a_value_is_dropped",
            "a_mark_before_a_file_s_text_is_dropped_and_utf_16_is_named",
            MISTAKES,
        ],
    ),
    line(
        "an expression that was not evaluated is no id",
        &["an_expression_that_was_not_evaluated_is_known", "an_expression_that_was_not_evaluated_is_no_id", MISTAKES],
    ),
    line(
        "one slip is one mistake",
        &[
            "a_misspelt_flag_is_one_input_error",
            "a_flag_with_the_wrong_dash_is_one_slip",
            "help_is_advice_for_a_command_line_alone",
        ],
    ),
    line(
        "a refused password that looks unusual is hinted at, never shown",
        &["a_refused_password_that_looks_unusual_is_hinted_at", "what_is_odd_about_a_password_is_said_without_it"],
    ),
    line(
        "missing credentials in a CI ask whether the secret is available",
        &["missing_credentials_are_told_why_in_a_ci"],
    ),
    line("booleans and durations", &["booleans_are_exactly_six_words", "durations_are_the_reference_s"]),
    line("all mistakes at once, no request made", &["all_input_errors_are_reported_at_once", MISTAKES]),
    line("what is not UTF-8 is a mistake, not a panic", &["what_is_not_utf_8_is_a_fault_and_no_panic", MISTAKES]),
    section("#sources-of-inputs"),
    line(
        "first hit wins, and a set variable that loses is warned about",
        &["the_first_hit_wins", "what_the_step_says_beats_the_environment_and_says_so"],
    ),
    line("PLUGIN_ only under Woodpecker and Drone", &["plugin_settings_count_only_under_woodpecker_and_drone"]),
    line("credentials count as one set", &["credentials_count_as_one_set", "a_higher_place_replaces_all_credentials"]),
    line(
        "a user name may come from a higher source than its password, never from a lower one",
        &["a_user_name_may_come_from_a_higher_place_than_its_password_and_never_from_a_lower_one"],
    ),
    line(
        "base-url and success-statuses come from no lower source than the secret",
        &[
            "no_lower_place_sends_the_credentials_elsewhere",
            "no_lower_place_turns_a_cancelled_run_green",
            "no_lower_place_sends_the_credentials_elsewhere_or_lets_more_runs_pass",
            "the_default_and_a_trust_anchor_may_come_from_anywhere",
        ],
    ),
    line(
        "if-running: attach comes from no lower source than trigger",
        &["no_lower_place_makes_trigger_attach", "no_lower_place_makes_trigger_wait_for_a_run_that_it_did_not_start"],
    ),
    line(
        "step inputs have one spelling",
        &[
            "step_inputs_have_one_spelling",
            "no_other_spelling_beats_what_the_step_says",
            "two_spellings_of_a_step_s_input_are_an_input_error_with_the_way_out",
        ],
    ),
    line("no variable changes what a step says", &["no_variable_changes_what_a_step_says"]),
    line(
        "a given pipeline-id is fixed",
        &["no_run_of_another_pipeline_passes_for_the_one_that_was_given", "a_pipeline_that_is_given_is_fixed"],
    ),
    line("a run id that comes from outside has a max-age in every example", &["examples_replay_no_old_success"]),
    line(
        "in the component and the packages, no variable sets an input that is left open",
        &[
            "no_variable_sets_what_an_input_decides",
            "no_variable_of_the_job_decides_what_an_input_of_a_package_decides",
        ],
    ),
    line(
        "the packages have every input, and it arrives as it was given",
        &[
            "the_packages_are_what_the_table_of_inputs_makes_of_them",
            "every_input_of_a_package_arrives_as_it_is",
            "the_step_for_jenkins_knows_every_input_by_its_name_in_groovy",
            "the_images_packages_name_every_input",
            "a_download_is_used_only_if_its_checksum_is_the_given_one",
        ],
    ),
    line(
        "in Kubernetes, each deployment gets a new Job, and no failure lets it through",
        &[
            "each_example_in_kubernetes_waits_for_a_new_job_and_lets_no_failure_through",
            "each_job_in_kubernetes_runs_once_and_ends_after_the_gate",
            "the_order_of_rollouts_and_the_source_of_flux_hold_the_new_version_back",
        ],
    ),
];
